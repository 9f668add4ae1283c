"""Answer inputs with a preset, in this process or in those of Ray Data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, overload

from zoo.api import predict as local
from zoo.api.answers import Predictions
from zoo.api.options import PresetLike
from zoo.common.core.errors import check_choice
from zoo.scaling.bulk import BulkResult, predict_in_bulk


@overload
def predict(
    preset: PresetLike,
    inputs: Any,
    *,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
    engine: Literal["local"] = "local",
) -> Predictions: ...


@overload
def predict(
    preset: PresetLike,
    inputs: Any,
    *,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
    engine: Literal["ray"],
    out: str | Path,
    actors: int | None = None,
    format: Literal["parquet", "jsonl"] = "parquet",
) -> BulkResult: ...


def predict(
    preset: PresetLike,
    inputs: Any,
    *,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
    engine: str = "local",
    **bulk: Any,
) -> Predictions | BulkResult:
    """Return one answer per input. An invalid input has the answer `{"input", "error"}`.

    Args:
        preset: a preset by name, the folder of a run or preset, or a loaded preset.
        inputs: one input or a list. An input is the path of a file or folder, a text, or an object that
            the preset accepts: (waveform, sample rate), a PIL image, a NumPy array or a pandas series. A
            list of numbers is one input, a series.
        runtime: "auto" (a valid ONNX export, else "keras"), "keras", "savedmodel", "onnx" or "litert";
            None for that of a loaded preset, otherwise "auto".
        options: options of the preset's decoder, such as `{"beam_width": 8}`.
        engine: "local" for this process, or "ray" for the processes of Ray Data, which write the
            answers into a folder. Its inputs are folders, lists with a column `input`, Parquet files,
            and URLs of them. See docs/scaling.md.
        bulk: for the engine "ray": `out`, path or URL of the folder; `actors`, number of processes;
            `format`, "parquet" or "jsonl".

    Raises:
        ZooError: there is no such preset, runtime, option or engine.

    Examples:
        >>> import zoo
        >>> zoo.predict("language/bilstm-sst2", ["a gripping film", "a dull film"]).outputs
        ['positive', 'negative']
    """
    check_choice("engine", engine, ("local", "ray"))
    if engine == "ray":
        return predict_in_bulk(preset, inputs, runtime=runtime, options=options, **bulk)
    return local.predict(preset, inputs, runtime=runtime, options=options, **bulk)
