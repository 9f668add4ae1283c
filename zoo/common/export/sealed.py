"""The folder of an export: complete and sealed, or absent."""

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
    """Yield a folder to fill, which is sealed and becomes `target` when the block ends without an error.

    An export that is there is replaced if it is damaged or of another model.

    Args:
        preset: what is exported. format_: one of `zoo.common.export.FORMATS`.
        target: the folder of the export, in that of the preset or in one of its own.

    Raises:
        ZooError: the export is there and good, or something else is there; or it cannot be written.
    """
    if os.path.lexists(target):
        if not is_sealed(target):
            raise ZooError(
                f"{target} exists already, and is no export: it has no {SEAL_FILE}. Remove it or name "
                "another folder."
            )
        try:
            check_seal(target, preset.folder, preset.recipe, format_)
        except ExportError:
            pass  # it could not be opened: nothing is lost
        else:
            raise ZooError(f"{target} exists already. Remove it or name another folder.")
    with atomic_folder(target, replace=True) as temporary:
        yield temporary
        seal(temporary, preset.folder, preset.recipe, preset.name)
