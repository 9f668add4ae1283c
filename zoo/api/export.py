"""Export a preset to other runtimes."""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

from zoo.api.options import PresetLike, preset_folder, preset_name
from zoo.api.results import ExportResult
from zoo.common.core.errors import ExportError, ZooError
from zoo.common.presets import store
from zoo.common.presets.integrity import check_seal, is_sealed, preset_digests, sealed_preset
from zoo.common.presets.runs import RUN_FILE
from zoo.common.runtime import AUTO, SOONEST, export_folder
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.utils.files import clear_parts
from zoo.common.utils.locks import LOCK_FILE, locked
from zoo.common.utils.progress import say
from zoo.common.utils.quiet import import_tensorflow


def export(
    preset: PresetLike, formats: str | Sequence[str], out: str | Path | None = None
) -> ExportResult:
    """Export a preset or run to formats. See `zoo.export`."""
    from zoo.common.export import check_format, exporter

    formats = formats.split(",") if isinstance(formats, str) else list(formats)
    for format_ in formats:
        check_format(format_)
    source, formats = preset_folder(preset), list(dict.fromkeys(formats))
    folder = Path(out) if out else store.exports_of(source)
    # Unlike Path.is_dir, os.path.isdir does not raise for a name that is too long.
    apart = bool(out) and not (os.path.isdir(folder) and folder.samefile(source))
    # A run must not be trained while it is exported.
    run = locked(source / LOCK_FILE) if apart and (source / RUN_FILE).exists() else nullcontext()
    with locked(folder / LOCK_FILE), run:
        clear_parts(folder)
        if apart:
            _check_same_model(source, folder, formats)
        import_tensorflow()
        from zoo.common.runtime.preset import load_preset

        # The files may be newer than a loaded preset.
        loaded = load_preset(preset_name(preset))
        files, errors = [], []
        with store.recipe_copied(source, folder, loaded.recipe) if apart else nullcontext():
            for format_ in formats:
                try:
                    files += exporter(format_)(loaded, folder)
                except ZooError as error:
                    errors.append(str(error))
            if not files:
                raise ZooError(" ".join(errors))
    return ExportResult(preset_name(preset), files, errors)


def fill_cache(preset: PresetLike, runtime: str) -> None:
    """Export a preset to the runtime that starts fastest, unless a valid export exists.

    Models that are not Keras models have no exports, and start fast without one. An error of the export,
    such as the lock of another process that exports the preset, is reported only: the preset can answer
    without the export.

    Args:
        preset: a preset or run.
        runtime: the requested runtime, which must be "auto".

    Raises:
        ZooError: another runtime is requested, or there is no such preset.
    """
    if runtime != AUTO:
        raise ZooError(f"--cache needs --backend {AUTO}. Received: --backend {runtime}.")
    folder = preset_folder(preset)
    recipe = store.load_recipe(folder)
    target = export_folder(SOONEST, store.exports_of(folder))
    try:
        check_seal(target, folder, recipe, SOONEST)
    except ExportError:
        if isinstance(recipe.model, KerasModel):
            say(f"{preset_name(preset)} is exported to {target}, once.")
            try:
                export(preset, [SOONEST])
            except ZooError as error:
                say(f"{error} The answer does not need the export.")


def _check_same_model(source: Path, folder: Path, formats: Sequence[str]) -> None:
    """Check that a folder will hold exports of one model only.

    Raises:
        ZooError: the folder has another recipe, or an export of other weights that is not replaced.
    """
    from zoo.common.export import FORMATS

    store.check_same(source, folder)
    wanted = preset_digests(source, store.load_recipe(source))
    for format_ in FORMATS:
        existing = export_folder(format_, folder)
        if format_ not in formats and is_sealed(existing) and sealed_preset(existing) != wanted:
            raise ZooError(
                f"{existing} was exported from another model than {source}. Remove it, export to "
                f"{format_} as well, or choose another folder."
            )
