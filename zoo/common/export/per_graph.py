"""What the formats of one file a graph have in common: write, run, compare, measure."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras

from zoo.common.backends import FOLDERS, SUFFIXES, open_export
from zoo.common.export import parity
from zoo.common.files import atomic_folder
from zoo.common.presets import Preset


def export_graphs(
    format_: str,
    write: Callable[[keras.Model, Path], None],
    models: dict[str, keras.Model],
    tolerance: float,
    preset: Preset,
    folder: Path,
) -> list[dict[str, Any]]:
    """Writes `<folder>/<format>/<graph>.<suffix>` for each graph and returns a row for each.

    write: puts a functional model into a file. models: what is written, by the graph's name.

    Every file is run in its own runtime on the task's real samples and compared with the preset's
    graph. Raises `ZooError`, and leaves nothing behind, if the folder exists, cannot be written, or a
    file differs by more than the tolerance.
    """
    target = folder / FOLDERS[format_]
    samples = preset.recipe.task.samples(preset.recipe)
    rows = []
    with atomic_folder(target) as temporary:
        files = {name: temporary / f"{name}{SUFFIXES[format_]}" for name in models}
        for name, path in files.items():
            write(models[name], path)
        received = open_export(format_, temporary)
        for name, path in files.items():
            compared = parity.compare({name: preset.graphs[name]}, received, samples)
            parity.check(*compared, tolerance, f"{format_} file of {name!r}")
            timed = parity.latencies(preset, received, [name], samples)
            size = path.stat().st_size
            rows.append(parity.row(format_, target / path.name, size, compared, tolerance, timed))
    return rows
