"""From the logits of a CTC model to texts, by whichever search a decoder asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from zoo.common.ctc.search import Hypothesis, search
from zoo.common.ctc.words import Transcription, split_words
from zoo.common.data.labels import Labels

if TYPE_CHECKING:
    from zoo.common.decoding.decoders import CTCSearch


def check_search(decoder: CTCSearch, labels: Labels) -> None:
    """Check that a decoder can be used: read its files.

    Raises:
        ZooError: as `zoo.common.ctc.word_search.WordSearch`.
    """
    if decoder.searches_words:
        from zoo.common.ctc.word_search import open_word_search

        open_word_search(decoder, labels)


def transcribe(logits: np.ndarray, decoder: CTCSearch, labels: Labels) -> list[Transcription]:
    """Return the best texts, the best first: up to `n_best`, and at least one.

    Args:
        logits: float [time, vocabulary_size], unnormalised, true frames only.

    Raises:
        ZooError: as `check_search`.
    """
    if decoder.searches_words:
        from zoo.common.ctc.word_search import open_word_search

        found = open_word_search(decoder, labels).search(logits)
    else:
        hypotheses = search(logits, decoder.beam_width, decoder.n_best)
        found = [_transcription(hypothesis, labels) for hypothesis in hypotheses]
    return found


def _transcription(found: Hypothesis, labels: Labels) -> Transcription:
    return Transcription(
        labels.text(found.labels),
        found.labels,
        split_words(found.labels, labels),
        {"log_probability": found.log_probability},
    )
