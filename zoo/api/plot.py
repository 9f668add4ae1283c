"""Draw an input with the answer of a preset."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.api.options import PresetLike, open_predictor, preset_name, preset_recipe, runtime_of
from zoo.api.predict import find_inputs
from zoo.api.results import Plot
from zoo.common.core.capabilities import InputPlots
from zoo.common.core.errors import ZooError
from zoo.common.core.task import input_name
from zoo.common.runtime import AUTO

SUFFIX = ".png"


def plot(
    preset: PresetLike,
    source: Any,
    path: str | Path | None = None,
    *,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
) -> Plot:
    """Draw an input with the answer of a preset. Notebooks display the result.

    Args:
        preset: a preset by name, the folder of a run or preset, or a loaded preset.
        source: one input, as in `predict`.
        path: a PNG file to write; None to write no file.
        runtime: as in `predict`.
        options: options of the preset's decoder.

    Raises:
        ZooError: there is no such preset, runtime or option, the preset does not support plots of
            inputs, or the input cannot be read.

    Examples:
        >>> import pathlib, zoo
        >>> recording = pathlib.Path(zoo.__file__).parent / "speech/samples/cen8-fcaw-b.flac"
        >>> zoo.plot("speech/bilstm-ctc-an4", recording).png[:4]
        b'\\x89PNG'
    """
    recipe = preset_recipe(preset, options)
    data = recipe.data
    if not isinstance(data, InputPlots):
        raise ZooError(f"{preset_name(preset)} does not support plots of inputs.")
    if path is not None and Path(path).suffix.lower() != SUFFIX:
        raise ZooError(f"The name of a plot must end in {SUFFIX}. Received: {str(path)!r}.")
    predictor = open_predictor(preset, recipe, runtime_of(preset, runtime, AUTO))
    found = find_inputs(data, source)
    if len(found) != 1:
        raise ZooError(f"A plot takes one input. Received: {len(found)} in {source}.")
    (source,) = found
    with tempfile.TemporaryDirectory() as folder:
        written = Path(path) if path is not None else Path(folder) / f"plot{SUFFIX}"
        data.plot_input(predictor, recipe.task, source, written)
        png = written.read_bytes()
    return Plot(preset_name(preset), input_name(source), None if path is None else written, png)
