"""Answer inputs with a preset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

from zoo.api.answers import Predictions
from zoo.api.options import PresetLike, open_predictor, preset_name, preset_recipe, runtime_of
from zoo.common.core.capabilities import FileInputs
from zoo.common.core.errors import ZooError
from zoo.common.runtime import AUTO
from zoo.common.runtime.preset import input_list


def predict(
    preset: PresetLike,
    inputs: Any,
    *,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Predictions:
    """Return one answer per input. See `zoo.predict`."""
    answers = iter_predictions(preset, input_list(inputs), runtime=runtime, options=options)
    return Predictions(preset_name(preset), tuple(answers))


def iter_predictions(
    preset: PresetLike,
    inputs: Sequence[Any],
    *,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Iterator[dict[str, Any]]:
    """Yield one answer per input as soon as it is computed. Arguments as `predict`.

    Raises:
        ZooError: there is no such preset, runtime or option.
    """
    recipe = preset_recipe(preset, options)
    predictor = open_predictor(preset, recipe, runtime_of(preset, runtime, AUTO))

    def answers() -> Iterator[dict[str, Any]]:
        for source in inputs:
            try:
                found = find_inputs(recipe.data, source)
            except ZooError as error:
                yield {"input": str(source), "error": str(error)}
            else:
                yield from recipe.task.predict(predictor, found)

    return answers()


def find_inputs(data: Any, source: Any) -> list[Any]:
    """Return the inputs of a path, such as the files of a folder. Other inputs are returned as they are.

    Raises:
        ZooError: a folder has no input, or a file of texts cannot be read.
    """
    if isinstance(source, PurePath):
        source = str(source)
    if isinstance(source, str) and isinstance(data, FileInputs):
        return list(data.find_inputs(source))
    return [source]
