"""Common code of formats with one file per graph: write, run, compare, measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from zoo.common.core.errors import ZooError
from zoo.common.core.precision import FLOAT32, INT8, runtime_name
from zoo.common.export import parity
from zoo.common.export.portable import config_of
from zoo.common.export.precision import MIN_SIZE, IsFixed, fixed_weights
from zoo.common.export.quality import Quality
from zoo.common.export.sealed import sealed_folder
from zoo.common.export.signature import signature, write_signature
from zoo.common.runtime import FOLDERS, open_export
from zoo.common.runtime.preset import Preset

# Writes a functional model to a file: (model, path, text of `signature.json`, precision, function that
# finds the weights that are not trained). Returns the number of int8 weights.
Write = Callable[[keras.Model, Path, str, str, IsFixed], int]


def export_graphs(
    format_: str,
    suffix: str,
    write: Write,
    models: dict[str, keras.Model],
    tolerance: float,
    preset: Preset,
    folder: Path,
    batch: int | None = None,
    quality: Quality | None = None,
) -> list[dict[str, Any]]:
    """Write `<folder>/<runtime>/<graph><suffix>` for each graph and return a row for each.

    Every file is run in its runtime on the example inputs of the data and compared with the graph of
    the preset. If outputs of smaller weights differ by more than the tolerance, the metric of the task
    decides.

    Args:
        format_: name of the format.
        suffix: file name extension.
        write: writes a functional model to a file.
        models: functional models by graph name.
        tolerance: largest valid difference.
        preset: the preset.
        folder: folder of the export.
        batch: batch size of the files; None for any.
        quality: the precision and the examples; None for float32.

    Raises:
        ZooError: the folder exists or cannot be written, a file differs by more than the tolerance, or
            the precision is int8 and no graph has a weight for it. Nothing is left behind.
    """
    precision = quality.precision if quality else FLOAT32
    runtime = runtime_name(format_, precision)
    target = folder / FOLDERS[runtime]
    samples = preset.recipe.data.example_inputs(preset.recipe.model, preset.recipe.decoder)
    keras_graphs = config_of(preset).graphs(preset.model)
    tensors = {name: (model.input, model.output) for name, model in models.items()}
    metadata = signature(preset, tensors, batch, precision)
    is_fixed = fixed_weights(models.values())
    with sealed_folder(preset, runtime, target) as temporary:
        write_signature(temporary, metadata)
        files = {name: temporary / f"{name}{suffix}" for name in models}
        int8 = sum(
            write(models[name], path, metadata, precision, is_fixed) for name, path in files.items()
        )
        if precision == INT8 and not int8:
            raise ZooError(
                f"precision must be another than {INT8!r} for {preset.name}: it has no recurrent or "
                f"dense layer with {MIN_SIZE} weights."
            )
        received = open_export(runtime, temporary)
        compared = {
            name: parity.compare({name: preset.graphs[name]}, received, samples) for name in files
        }
        checked: dict[str, Any] = {}
        if quality and any(not difference <= tolerance for difference, _ in compared.values()):
            checked = quality.check(preset, received)
        rows = []
        for name, path in files.items():
            if not checked:
                parity.check(*compared[name], tolerance, f"{runtime} file of {name!r}")
            timed = parity.latencies({name: keras_graphs[name]}, received, samples)
            size = path.stat().st_size
            row = parity.row(format_, target / path.name, size, compared[name], tolerance, timed)
            if quality:
                empty = dict.fromkeys(("figure", "keras_figure", "examples"))
                row |= {"precision": precision, **empty, **checked}
            rows.append(row)
    return rows
