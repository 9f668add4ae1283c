"""Export a preset to other runtimes."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api.options import PresetLike, find_recipe, preset_folder, preset_name
from zoo.api.results import ExportResult
from zoo.api.sources import find_source, read_split
from zoo.common.core import registry
from zoo.common.core.capabilities import WindowedExamples
from zoo.common.core.errors import ExportError, ZooError
from zoo.common.core.precision import FLOAT32, INT8, runtime_name
from zoo.common.presets import store
from zoo.common.presets.integrity import check_seal, is_sealed, preset_digests, sealed_preset
from zoo.common.presets.runs import RUN_FILE
from zoo.common.runtime import AUTO, FOLDERS, SOONEST, export_folder
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.utils.files import clear_parts
from zoo.common.utils.locks import LOCK_FILE, locked
from zoo.common.utils.packages import check_packages
from zoo.common.utils.progress import say
from zoo.common.utils.quiet import import_tensorflow

if TYPE_CHECKING:
    from zoo.common.runtime.preset import Preset

# The extra that installs the packages of metrics.
EXTRA = "evaluate"
# Maximum number of dev examples, or of windows of a text, that an export with smaller weights is
# evaluated on: a compromise between time and significance.
MAX_EXAMPLES = 200


def export(
    preset: PresetLike,
    formats: str | Sequence[str],
    out: str | Path | None = None,
    *,
    precision: str = "float32",
    data: str | Path | None = None,
    manifest: str | Path | None = None,
) -> ExportResult:
    """Export a preset or run. Each file is compared with the Keras model before it is written.

    Args:
        preset: a preset by name, the folder of a run or preset, or a loaded preset.
        formats: "savedmodel", "litert", "onnx" or "tensorrt", or a list of them.
        out: a folder, which then holds everything that `predict` needs; None for the folder in which
            `predict` looks: that of the preset, or one in the cache for an installed package.
        precision: precision of the weights: "float32", or for ONNX and LiteRT "float16" or "int8". Their
            runtimes are called "onnx-int8" and so on. If outputs differ by more than those of float32
            may, the metric of the task on dev decides whether the export is kept.
        data: folder of the corpus for that metric; None for its folder in the package, if it has one, or
            in ZOO_DATA.
        manifest: a list of your own examples to use instead of the corpus.

    Returns:
        One row per file. Formats that failed while another one was written are in `errors`.

    Raises:
        ZooError: there is no such preset, format or precision, a package is not installed, the examples
            are not found, or no format could be written.

    Examples:
        >>> import tempfile, zoo
        >>> result = zoo.export("language/charlstm-hello", "savedmodel", tempfile.mkdtemp() + "/out")
        >>> result.files[0]["max_difference"] < 1e-4
        True
    """
    from zoo.common.export import check_format, exporter

    formats = formats.split(",") if isinstance(formats, str) else list(formats)
    for format_ in formats:
        check_format(format_, precision)
    _check_keras(preset)
    source, formats = preset_folder(preset), list(dict.fromkeys(formats))
    folder = Path(out) if out else store.exports_of(source)
    # Unlike Path.is_dir, os.path.isdir does not raise for a name that is too long.
    apart = bool(out) and not (os.path.isdir(folder) and folder.samefile(source))
    # A run must not be trained while it is exported.
    run = locked(source / LOCK_FILE) if apart and (source / RUN_FILE).exists() else nullcontext()
    with locked(folder / LOCK_FILE), run:
        clear_parts(folder)
        if apart:
            _check_same_model(source, folder, [runtime_name(each, precision) for each in formats])
        import_tensorflow()
        from zoo.common.runtime.preset import load_preset

        # The files may be newer than a loaded preset.
        loaded = load_preset(preset_name(preset))
        files, errors = [], []
        quality = _quality(loaded, precision, data, manifest)
        with store.recipe_copied(source, folder, loaded.recipe) if apart else nullcontext():
            for format_ in formats:
                try:
                    files += exporter(format_)(loaded, folder, **quality)
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


def _check_keras(preset: PresetLike) -> None:
    """Check that a preset or recipe has a Keras model. Raises `ZooError` if it has none."""
    name = preset_name(preset)
    model = find_recipe(name).model
    if not isinstance(model, KerasModel):
        raise ZooError(
            f"{name} has no exports, because it is not a Keras model: other programs can read its file "
            f"{model.file}."
        )


def _quality(
    preset: Preset, precision: str, data: str | Path | None, manifest: str | Path | None
) -> dict[str, Any]:
    """Return the arguments of an exporter for a precision.

    Raises:
        ZooError: the precision is int8, and there are no examples or the package of a metric is missing.
    """
    if precision == FLOAT32:
        return {}
    from zoo.common.export.quality import Quality

    @functools.cache
    def examples() -> list[Any]:
        recipe = preset.recipe
        check_packages(recipe.task.packages, EXTRA)
        corpus = registry.entry(recipe.name).corpus
        found = read_split(recipe, corpus, find_source(data, manifest, corpus), "dev")
        if isinstance(recipe.data, WindowedExamples):
            windows = recipe.data.take_windows(found, MAX_EXAMPLES, recipe.model)
            return windows or found[:MAX_EXAMPLES]  # a text may be shorter than a window
        return found[:MAX_EXAMPLES]

    if precision == INT8:
        examples()  # an error comes before the conversion, which takes a minute
    return {"quality": Quality(precision, examples)}


def _check_same_model(source: Path, folder: Path, runtimes: Sequence[str]) -> None:
    """Check that a folder will hold exports of one model only.

    Raises:
        ZooError: the folder has another recipe, or an export of other weights that is not replaced.
    """
    store.check_same(source, folder)
    wanted = preset_digests(source, store.load_recipe(source))
    for runtime in (*FOLDERS, "savedmodel"):
        existing = export_folder(runtime, folder)
        if runtime not in runtimes and is_sealed(existing) and sealed_preset(existing) != wanted:
            raise ZooError(
                f"{existing} was exported from another model than {source}. Remove it, export to "
                f"{runtime} as well, or choose another folder."
            )
