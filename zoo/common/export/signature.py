"""`signature.json`: the description of an export for programs without the zoo.

The file is stored in the folder of an export, and inside its files: as metadata of an ONNX file, and as
a member of the zip archive at the end of a LiteRT file, the place of LiteRT metadata.

preset     name of the preset or run
precision  precision of the weights: float32, float16 or int8
graphs     `inputs` and `outputs` of each graph by name, with `dtype` and `shape`, in which names replace
           free axes
states     each state by name: `shape` after the batch, `dtype`, `initial`, its value at the start of a
           sequence, and `constant`, whether it has no `next_<name>`
decoder    settings of the decoder
...        `Task.export_metadata`, such as labels

docs/deploy.md describes their use.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.common.core.axes import BATCH, known_axes, name_axes
from zoo.common.core.precision import FLOAT32
from zoo.common.runtime.preset import Preset
from zoo.common.utils.files import write_text

SIGNATURE_FILE = "signature.json"
# Tensors by name, each with `shape` and `dtype`.
Tensors = Mapping[str, Any]


def signature(
    preset: Preset,
    graphs: Mapping[str, tuple[Tensors, Tensors]],
    batch: int | None = None,
    precision: str = FLOAT32,
) -> str:
    """Return the text of `signature.json`.

    Args:
        preset: the exported preset.
        graphs: inputs and outputs of each graph, by its name.
        batch: batch size of the export; None for any.
        precision: precision of the weights.
    """
    recipe, known = preset.recipe, known_axes(preset.recipe.data, preset.recipe.model)

    def of_tensors(tensors: Tensors) -> dict[str, Any]:
        described = {}
        for name, tensor in tensors.items():
            shape = name_axes(name, tuple(tensor.shape), known)
            shape = [batch if batch and axis == BATCH else axis for axis in shape]
            described[name] = {"dtype": getattr(tensor.dtype, "name", tensor.dtype), "shape": shape}
        return described

    metadata = {
        "preset": recipe.name,
        "precision": precision,
        "graphs": {
            name: {"inputs": of_tensors(inputs), "outputs": of_tensors(outputs)}
            for name, (inputs, outputs) in graphs.items()
        },
        "states": {
            spec.name: {
                "shape": known[spec.name],
                "dtype": spec.dtype,
                "initial": spec.initial,
                "constant": spec.constant,
            }
            for spec in recipe.model.states
        },
        "decoder": recipe.to_dict().get("decoder"),
        **recipe.task.export_metadata(preset.predictor),
    }
    return json.dumps(metadata, indent=1, ensure_ascii=False) + "\n"


def write_signature(folder: Path, text: str) -> None:
    """Write `signature.json` into the folder of an export."""
    write_text(folder / SIGNATURE_FILE, text)
