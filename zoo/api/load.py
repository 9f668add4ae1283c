"""Load presets."""

from __future__ import annotations

from pathlib import Path

from zoo.api.export import fill_cache
from zoo.common.presets import store
from zoo.common.runtime import AUTO, KERAS, SOONEST, export_folder
from zoo.common.runtime.preset import Preset, load_preset


def load(preset_or_folder: str | Path, runtime: str = KERAS) -> Preset:
    """Return a trained preset, and export it to ONNX first if that is missing. See `zoo.load`."""
    if runtime == SOONEST:
        exports = store.exports_of(store.find(preset_or_folder))
        if not export_folder(SOONEST, exports).is_dir():
            fill_cache(preset_or_folder, AUTO)
    return load_preset(preset_or_folder, runtime)
