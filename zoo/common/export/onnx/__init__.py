"""Export the graphs of a preset to ONNX. Recurrent layers become ONNX's LSTM, GRU and RNN.

convert      converts a functional model
graph        builds an ONNX graph
layers       converts Keras layers
recurrent    converts recurrent layers
steps        converts other recurrent layers and composite layers, by tracing them
operations   converts operations of keras.ops
weights      stores weights in float16 or int8
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from zoo.common.core.axes import known_axes
from zoo.common.core.precision import FLOAT32
from zoo.common.export import import_packages
from zoo.common.export.per_graph import export_graphs
from zoo.common.export.precision import IsFixed
from zoo.common.export.quality import Quality
from zoo.common.export.signature import SIGNATURE_FILE
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.runtime.onnx import SUFFIX
from zoo.common.runtime.preset import Preset

if TYPE_CHECKING:
    import keras

# ONNX Runtime adds in another order, and a recurrent layer accumulates the differences over time.
TOLERANCE = 1e-3


def export(preset: Preset, folder: Path, quality: Quality | None = None) -> list[dict[str, Any]]:
    """Write each graph of a preset to `folder/onnx/<graph>.onnx`, or to `folder/onnx-int8/` and so on.

    The batch and time axes are free. Inputs and outputs have the names of the Keras model.

    Args:
        preset: a preset with a Keras model.
        folder: the folder of the export.
        quality: the precision and the examples; None for float32.

    Returns:
        The rows of `export_graphs`.

    Raises:
        ZooError: as `export_graphs`, or a layer cannot be converted to ONNX.
    """
    onnx, _ = import_packages("onnx")
    from zoo.common.export.onnx.convert import to_onnx
    from zoo.common.export.onnx.weights import store_weights

    config = cast(KerasModel, preset.recipe.model)
    axes = known_axes(preset.recipe.data, config)

    def write(
        model: keras.Model, path: Path, signature: str, precision: str, is_fixed: IsFixed
    ) -> int:
        built, quantized = to_onnx(model, axes, {SIGNATURE_FILE: signature}), 0
        if precision != FLOAT32:
            built, quantized = store_weights(built, precision, is_fixed)
        onnx.save(built, path)
        return quantized

    graphs = config.graphs(preset.model)
    return export_graphs("onnx", SUFFIX, write, graphs, TOLERANCE, preset, folder, quality=quality)
