"""`signature.json`: what a program without the zoo must know of an export.

It stands beside the files of an export, and inside them: in an ONNX file as metadata under its own name,
in a LiteRT file as a member of the zip archive at its end, where LiteRT's metadata keeps files.

preset    the name of the preset or run
graphs    of each graph `inputs` and `outputs`, by name: `dtype`, and `shape`, a free axis by its name
states    of each state, by name: `shape` after the batch, `dtype`, `initial`, what all of it is where a
          sequence begins, and whether it is `constant`: then there is no `next_<name>`
decoder   the settings of the preset's decoder
...       what the data adds, such as labels: see `Task.facts`

docs/deploy.md says how they are used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from zoo.common.core.axes import BATCH, known_axes, name_axes
from zoo.common.runtime.preset import Preset
from zoo.common.utils.files import write_text

SIGNATURE_FILE = "signature.json"
# Tensors by name, each with `shape` and `dtype`.
Tensors = Mapping[str, Any]


def signature(
    preset: Preset, graphs: Mapping[str, tuple[Tensors, Tensors]], batch: int | None = None
) -> str:
    """Return the text of `signature.json`.

    Args:
        preset: what is exported.
        graphs: the inputs and the outputs of each graph, by its name.
        batch: the size of batch that the export fixes; None for any.
    """
    recipe, known = preset.recipe, known_axes(preset.recipe.data, preset.recipe.model)

    def of_tensors(tensors: Tensors) -> dict[str, Any]:
        described = {}
        for name, tensor in tensors.items():
            shape = name_axes(name, tuple(tensor.shape), known)
            shape = [batch if batch and axis == BATCH else axis for axis in shape]
            described[name] = {"dtype": getattr(tensor.dtype, "name", tensor.dtype), "shape": shape}
        return described

    facts = {
        "preset": recipe.name,
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
    return json.dumps(facts, indent=1, ensure_ascii=False) + "\n"


def write_signature(folder: Path, text: str) -> None:
    """Write `signature.json` into the folder of an export."""
    write_text(folder / SIGNATURE_FILE, text)
