"""Load presets."""

from __future__ import annotations

from pathlib import Path

from zoo.api.export import fill_cache
from zoo.common.presets import store
from zoo.common.runtime import AUTO, SOONEST, export_folder
from zoo.common.runtime.preset import Preset, load_preset


def load(preset_or_folder: str | Path, runtime: str = "keras") -> Preset:
    """Return a trained preset: `.model`, `.recipe`, `.metrics`, `.predict(inputs)`.

    Args:
        preset_or_folder: a preset by name, the folder of a run or preset, or an address on the hub, such
            as "hf://owner/name@revision". A registered preset that is not installed is fetched from the
            index that ZOO_PRESETS names.
        runtime: "keras", or a runtime to which `zoo.export` has exported the preset: "savedmodel",
            "onnx" or "litert", which do not need TensorFlow, or "onnx-int8" and so on for exports with
            smaller weights. "onnx" exports the preset first if there is no export.

    Raises:
        ZooError: there is no such preset or export, or a file of it is missing or corrupt.

    Examples:
        >>> import zoo
        >>> preset = zoo.load("language/bilstm-sst2")
        >>> [answer["output"] for answer in preset.predict("a gripping and moving film")]
        ['positive']
    """
    if runtime == SOONEST:
        exports = store.exports_of(store.find(preset_or_folder))
        if not export_folder(SOONEST, exports).is_dir():
            fill_cache(preset_or_folder, AUTO)
    return load_preset(preset_or_folder, runtime)
