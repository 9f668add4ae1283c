"""Export the graphs of a preset to ONNX. Recurrent layers become ONNX's LSTM, GRU and RNN.

convert      converts a functional model
graph        builds an ONNX graph
layers       converts Keras layers
recurrent    converts recurrent layers
steps        converts other recurrent layers and composite layers, by tracing them
operations   converts operations of keras.ops
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from zoo.common.core.axes import known_axes
from zoo.common.export import import_packages
from zoo.common.export.per_graph import export_graphs
from zoo.common.export.signature import SIGNATURE_FILE
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.runtime.onnx import SUFFIX
from zoo.common.runtime.preset import Preset

if TYPE_CHECKING:
    import keras

# ONNX Runtime adds in another order, and a recurrent layer accumulates the differences over time.
TOLERANCE = 1e-3


def export(preset: Preset, folder: Path) -> list[dict[str, Any]]:
    """Write each graph of a preset to `folder/onnx/<graph>.onnx`.

    The batch and time axes are free. Inputs and outputs have the names of the Keras model.

    Args:
        preset: a preset with a Keras model.
        folder: the folder of the export.

    Returns:
        The rows of `export_graphs`.

    Raises:
        ZooError: as `export_graphs`, or a layer cannot be converted to ONNX.
    """
    onnx, _ = import_packages("onnx")
    from zoo.common.export.onnx.convert import to_onnx

    config = cast(KerasModel, preset.recipe.model)
    axes = known_axes(preset.recipe.data, config)

    def write(model: keras.Model, path: Path, signature: str) -> None:
        onnx.save(to_onnx(model, axes, {SIGNATURE_FILE: signature}), path)

    graphs = config.graphs(preset.model)
    return export_graphs("onnx", SUFFIX, write, graphs, TOLERANCE, preset, folder)
