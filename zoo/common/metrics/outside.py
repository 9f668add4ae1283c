"""Warn about references that a model cannot answer."""

from __future__ import annotations

from collections.abc import Sequence

from zoo.common.data.labels import Labels
from zoo.common.language_model.lexicon import list_words
from zoo.common.utils.progress import say


def warn_about_outside(labels: Labels, references: Sequence[str]) -> None:
    """Print a warning if references have symbols or classes that are not among the labels of a model.

    Args:
        labels: the labels of the model.
        references: the transcripts, or the classes, of a split.
    """
    found = [labels.outside(reference) for reference in references]
    symbols = dict.fromkeys(symbol for outside in found for symbol in outside)
    if symbols:
        say(
            f"Warning: {sum(map(bool, found))} of {len(found)} references have labels that the model "
            f"cannot answer, and count as errors: {list_words(symbols)}."
        )
