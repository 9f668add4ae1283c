"""Folders of exports, which are either complete or absent."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from zoo.common.core.errors import ExportError, ZooError
from zoo.common.presets.integrity import SEAL_FILE, check_seal, is_sealed, seal
from zoo.common.runtime.preset import Preset
from zoo.common.utils.files import atomic_folder


@contextmanager
def sealed_folder(preset: Preset, format_: str, target: Path) -> Iterator[Path]:
    """Yield a temporary folder, which becomes `target` with its digests if the block succeeds.

    An existing export is replaced if it is damaged or belongs to another model.

    Args:
        preset: the exported preset.
        format_: one of `zoo.common.export.FORMATS`.
        target: folder of the export.

    Raises:
        ZooError: a valid export or another folder exists, or the folder cannot be written.
    """
    if os.path.lexists(target):
        if not is_sealed(target):
            raise ZooError(
                f"{target} exists and is not an export: it has no {SEAL_FILE}. Remove it or choose "
                "another folder."
            )
        try:
            check_seal(target, preset.folder, preset.recipe, format_)
        except ExportError:
            pass  # it could not be used, so that nothing is lost
        else:
            raise ZooError(f"{target} already exists. Remove it or choose another folder.")
    with atomic_folder(target, replace=True) as temporary:
        yield temporary
        seal(temporary, preset.folder, preset.recipe, preset.name)
