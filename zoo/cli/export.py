"""`zoo export`: files of a preset for other runtimes."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from zoo.cli.arguments import add_preset
from zoo.cli.output import print_answer, table
from zoo.common.core.errors import ExportError, ZooError
from zoo.common.core.verbs import register_verb
from zoo.common.presets import store
from zoo.common.presets.integrity import check_seal, is_sealed, preset_digests, sealed_preset
from zoo.common.presets.runs import RUN_FILE
from zoo.common.runtime import AUTO, SOONEST, export_folder
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.utils.files import clear_parts
from zoo.common.utils.locks import LOCK_FILE, locked
from zoo.common.utils.progress import say
from zoo.common.utils.quiet import import_tensorflow


def export(name: str, formats: Sequence[str], out: Path | None = None) -> dict[str, Any]:
    """Export a preset or run to formats, each file compared with the Keras model.

    Args:
        name: of a preset, or the folder of a run.
        formats: those of `zoo.common.export.FORMATS`, each once.
        out: a folder, which then holds all that `zoo predict` needs besides; None for where
            `zoo predict` looks: the preset's own, or of an installed package one in the cache.

    Returns:
        `files`, a row a file, and where one of several formats failed, `errors`, a line for each.

    Raises:
        ZooError: no such preset or format, a package that a format needs is missing, or no format could
            be written.
    """
    from zoo.common.export import check_format, exporter

    for format_ in formats:
        check_format(format_)
    source, formats = store.find(name), list(dict.fromkeys(formats))
    folder = out or store.exports_of(source)
    # Unlike Path.is_dir, os.path.isdir is no error for a name that is too long.
    apart = bool(out) and not (os.path.isdir(folder) and folder.samefile(source))
    # A run that is being trained would be another model before its export is written.
    run = locked(source / LOCK_FILE) if apart and (source / RUN_FILE).exists() else nullcontext()
    with locked(folder / LOCK_FILE), run:
        clear_parts(folder)
        if apart:
            _check_same_model(source, folder, formats)
        import_tensorflow()
        from zoo.common.runtime.preset import load_preset

        preset = load_preset(name)
        files, errors = [], []
        with store.recipe_copied(source, folder, preset.recipe) if apart else nullcontext():
            for format_ in formats:
                try:
                    files += exporter(format_)(preset, folder)
                except ZooError as error:
                    errors.append(str(error))
            if not files:
                raise ZooError(" ".join(errors))
    return {"preset": name, "files": files} | ({"errors": errors} if errors else {})


def fill_cache(name: str, backend: str) -> None:
    """Export a preset to what the runtime "auto" answers by, unless that is there and valid.

    A model that is not of Keras has no exports, and begins soon without.

    Raises:
        ZooError: the runtime is another, or as `export`.
    """
    if backend != AUTO:
        raise ZooError(f"--cache goes with --backend {AUTO}. Received: --backend {backend}.")
    folder = store.find(name)
    recipe = store.load_recipe(folder)
    target = export_folder(SOONEST, store.exports_of(folder))
    try:
        check_seal(target, folder, recipe, SOONEST)
    except ExportError:
        if isinstance(recipe.model, KerasModel):
            say(f"{name} is exported to {target}, once.")
            export(name, [SOONEST])


def _check_same_model(source: Path, folder: Path, formats: Sequence[str]) -> None:
    """Check that a folder, when formats are exported to it, has exports of one model alone.

    Raises:
        ZooError: it holds another recipe, or an export of other weights that would stay.
    """
    from zoo.common.export import FORMATS

    store.check_same(source, folder)
    wanted = preset_digests(source, store.load_recipe(source))
    for format_ in FORMATS:
        export = export_folder(format_, folder)
        if format_ not in formats and is_sealed(export) and sealed_preset(export) != wanted:
            raise ZooError(
                f"{export} is an export of another model than {source}. Remove it, export to "
                f"{format_} as well, or name another folder."
            )


def export_text(answer: dict[str, Any]) -> str:
    """Return the answer of `export` for a person to read."""
    rows = table(answer["files"])
    if any(file["max_difference"] is None for file in answer["files"]):
        rows += "\nA row without max_difference was not run: there is no device for it here."
    return rows


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_preset(parser)
    parser.add_argument(
        "--to", required=True, metavar="FORMATS", help="savedmodel,litert,onnx,tensorrt"
    )
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: where predict looks")


@register_verb(
    "export",
    "export a preset or run, compared with the Keras model",
    "zoo export speech/bilstm-ctc-an4 --to savedmodel,onnx --out exported",
    _add_arguments,
)
def run(options: argparse.Namespace) -> int:
    """Run the verb."""
    answer = export(options.preset, options.to.split(","), options.out)
    print_answer(options, answer, lambda: export_text(answer))
    errors = answer.get("errors", [])
    for error in errors:
        print("zoo:", error, file=sys.stderr)
    return int(bool(errors))
