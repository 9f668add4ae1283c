"""ONNX: the graphs of a preset as operations of ONNX, recurrent layers as its LSTM, GRU and RNN.

convert      the walk over a functional model
graph        an ONNX graph in the making
layers       what each Keras layer becomes
recurrent    what the recurrent ones become
operations   what each operation of keras.ops becomes
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core.axes import known_axes
from zoo.common.export import import_packages
from zoo.common.export.per_graph import export_graphs
from zoo.common.export.signature import SIGNATURE_FILE
from zoo.common.runtime.onnx import SUFFIX
from zoo.common.runtime.preset import Preset

# Sums in another order; a recurrent layer carries the difference on over its steps.
TOLERANCE = 1e-3


def export(preset: Preset, folder: Path) -> list[dict[str, Any]]:
    """Write `folder/onnx/<graph>.onnx`: batch and time are free, names those of the Keras model.

    Returns rows and raises as `export_graphs`; also for a layer that has no counterpart, which is named.
    """
    onnx, _ = import_packages("onnx")
    from zoo.common.export.onnx.convert import to_onnx

    known = known_axes(preset.recipe)

    def write(model, path: Path, facts: str) -> None:
        onnx.save(to_onnx(model, known, {SIGNATURE_FILE: facts}), path)

    graphs = preset.recipe.model.graphs(preset.model)
    return export_graphs("onnx", SUFFIX, write, graphs, TOLERANCE, preset, folder)
