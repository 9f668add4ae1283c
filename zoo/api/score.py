"""Compute the log-probability of texts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from zoo.api.answers import Scores
from zoo.api.options import PresetLike, open_predictor, preset_name, preset_recipe, runtime_of
from zoo.api.predict import find_inputs
from zoo.common.core.capabilities import Scoring
from zoo.common.core.errors import ZooError
from zoo.common.runtime import AUTO
from zoo.common.runtime.preset import input_list


def score(preset: PresetLike, texts: str | list[str], *, runtime: str | None = None) -> Scores:
    """Return the log-probability of each text, token by token, in nats.

    Args:
        preset: a language model: a preset by name, the folder of a run or preset, or a loaded preset.
        texts: one text or a list. The lines of a file are one text for a language model, and the end of
            each line is a token, as in `evaluate`; other texts are separate.
        runtime: as in `predict`.

    Returns:
        The scores. `perplexity` is that of all texts.

    Raises:
        ZooError: there is no such preset or runtime, or the preset does not support scoring.

    Examples:
        >>> import zoo
        >>> first, second = zoo.score("language/charlstm-hello", ["hello", "holle"])
        >>> first["log_probability"] > second["log_probability"]
        True
    """
    answers = iter_scores(preset, input_list(texts), runtime=runtime)
    return Scores(preset_name(preset), tuple(answers))


def iter_scores(
    preset: PresetLike, texts: Sequence[str], *, runtime: str | None = None
) -> Iterator[dict[str, Any]]:
    """Yield the log-probability of each text as soon as it is computed. Arguments as `score`.

    Raises:
        ZooError: there is no such preset or runtime, the preset does not support scoring, or a file of
            texts cannot be read.
    """
    recipe, task = preset_recipe(preset), check_scoring(preset)
    predictor = open_predictor(preset, recipe, runtime_of(preset, runtime, AUTO))
    found = [text for source in texts for text in find_inputs(recipe.data, source)]
    return task.score(predictor, found)


def check_scoring(preset: PresetLike) -> Scoring:
    """Return the task of a preset that supports scoring. No model is loaded.

    Raises:
        ZooError: there is no such preset, or it does not support scoring.
    """
    task = preset_recipe(preset).task
    if not isinstance(task, Scoring):
        raise ZooError(f"{preset_name(preset)} does not support scoring.")
    return task
