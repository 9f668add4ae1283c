"""`zoo export`: files of a preset for other runtimes."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.cli.arguments import add_preset
from zoo.cli.output import print_answer, table
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import register_verb
from zoo.common.presets import store
from zoo.common.utils.quiet import import_tensorflow


def export(name: str, formats: Sequence[str], out: Path | None = None) -> dict[str, Any]:
    """Export a preset or run to formats, each file compared with the Keras model.

    Args:
        name: of a preset, or the folder of a run.
        formats: those of `zoo.common.export.FORMATS`, each once.
        out: a folder, which then holds all that `zoo predict` needs besides; None for the preset's own.

    Returns:
        `files`, a row a file, and where one of several formats failed, `errors`, a line for each.

    Raises:
        ZooError: no such preset or format, or no format could be written.
    """
    from zoo.common.export import check_format, exporter

    for format_ in formats:
        check_format(format_)
    folder = out or store.find(name)
    store.check_same(store.find(name), folder)
    import_tensorflow()
    from zoo.common.runtime.preset import load_preset

    preset = load_preset(name)
    files, errors = [], []
    for format_ in dict.fromkeys(formats):
        try:
            files += exporter(format_)(preset, folder)
        except ZooError as error:
            errors.append(str(error))
    if not files:
        raise ZooError(" ".join(errors))
    if out:
        store.save_recipe(out, preset.recipe)
    return {"preset": name, "files": files} | ({"errors": errors} if errors else {})


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
    parser.add_argument("--out", type=Path, metavar="DIR", help="default: the preset's own folder")


@register_verb(
    "export",
    "export a preset or run, compared with the Keras model",
    "zoo export speech/bilstm-ctc-an4 --to savedmodel,onnx --out exported",
    _add_arguments,
)
def run(options: argparse.Namespace) -> int:
    """Run the verb."""
    answer = export(options.preset, options.to.split(","), options.out)
    errors = answer.pop("errors", [])
    print_answer(options, answer, lambda: export_text(answer))
    for error in errors:
        print("zoo:", error, file=sys.stderr)
    return int(bool(errors))
