"""Common code of formats with one file per graph: write, run, compare, measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from zoo.common.export import parity
from zoo.common.export.portable import config_of
from zoo.common.export.sealed import sealed_folder
from zoo.common.export.signature import signature, write_signature
from zoo.common.runtime import FOLDERS, open_export
from zoo.common.runtime.preset import Preset


def export_graphs(
    format_: str,
    suffix: str,
    write: Callable[[keras.Model, Path, str], None],
    models: dict[str, keras.Model],
    tolerance: float,
    preset: Preset,
    folder: Path,
    batch: int | None = None,
) -> list[dict[str, Any]]:
    """Write `<folder>/<format>/<graph><suffix>` for each graph and return a row for each.

    Every file is run in its runtime on the example inputs of the data and compared with the graph of
    the preset.

    Args:
        format_: name of the format.
        suffix: file name extension.
        write: writes a functional model to a file, with the text of `signature.json`.
        models: functional models by graph name.
        tolerance: largest valid difference.
        preset: the preset.
        folder: folder of the export.
        batch: batch size of the files; None for any.

    Raises:
        ZooError: the folder exists or cannot be written, or a file differs by more than the tolerance.
            Nothing is left behind.
    """
    target = folder / FOLDERS[format_]
    samples = preset.recipe.data.example_inputs(preset.recipe.model, preset.recipe.decoder)
    keras_graphs = config_of(preset).graphs(preset.model)
    rows = []
    tensors = {name: (model.input, model.output) for name, model in models.items()}
    metadata = signature(preset, tensors, batch)
    with sealed_folder(preset, format_, target) as temporary:
        write_signature(temporary, metadata)
        files = {name: temporary / f"{name}{suffix}" for name in models}
        for name, path in files.items():
            write(models[name], path, metadata)
        received = open_export(format_, temporary)
        for name, path in files.items():
            compared = parity.compare({name: preset.graphs[name]}, received, samples)
            parity.check(*compared, tolerance, f"{format_} file of {name!r}")
            timed = parity.latencies({name: keras_graphs[name]}, received, samples)
            size = path.stat().st_size
            rows.append(parity.row(format_, target / path.name, size, compared, tolerance, timed))
    return rows
