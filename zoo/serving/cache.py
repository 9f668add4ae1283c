"""Export presets to ONNX before they are served, so that the server does not import TensorFlow."""

from __future__ import annotations

import multiprocessing

from zoo.api.export import fill_cache
from zoo.common.core.errors import ZooError
from zoo.common.presets import store
from zoo.serving.settings import Settings


def export_missing(settings: Settings) -> None:
    """Export the presets that have no valid export, in another process, whose memory is then free.

    Raises:
        ZooError: the backend is not "auto", or there is no such preset.
    """
    for given in settings.presets:
        preset = given.partition("=")[2] or given
        if not (store.find(preset) / store.RECIPE_FILE).exists():
            continue  # a folder of versions
        process = multiprocessing.get_context("spawn").Process(
            target=fill_cache, args=(preset, settings.backend)
        )
        process.start()
        process.join()
        if process.exitcode:
            raise ZooError(f"{preset} could not be exported.")
