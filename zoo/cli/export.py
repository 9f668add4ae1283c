"""`zoo export` writes files of a preset for other runtimes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from zoo.cli.arguments import add_preset, add_source
from zoo.cli.output import print_answer, table
from zoo.common.core.precision import FLOAT32
from zoo.common.core.verbs import register_verb

if TYPE_CHECKING:
    from zoo.api.results import ExportResult


def export_text(result: ExportResult) -> str:
    """Return a result as text."""
    rows = table(result.files)
    if any(file["max_difference"] is None for file in result.files):
        rows += "\nFiles without max_difference were not run: this machine has no device or server."
    return rows


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_preset(parser)
    words = "savedmodel,litert,onnx,tensorrt; kserve,triton,tfserving for files of these servers"
    parser.add_argument("--to", required=True, metavar="FORMATS", help=words)
    words = "precision of the weights: float32 (the default), float16 or int8; onnx and litert only"
    parser.add_argument("--precision", default=FLOAT32, metavar="NAME", help=words)
    add_source(parser)
    words = "output folder; default: the folder in which predict looks"
    parser.add_argument("--out", type=Path, metavar="DIR", help=words)


@register_verb(
    "export",
    "export a preset or run, compared with the Keras model",
    "zoo export speech/bilstm-ctc-an4 --to savedmodel,onnx --out exported",
    _add_arguments,
)
def run(options: argparse.Namespace) -> int:
    """Run the verb."""
    from zoo.api.export import export

    result = export(
        options.preset,
        options.to,
        options.out,
        precision=options.precision,
        data=options.data,
        manifest=options.manifest,
    )
    print_answer(options, result.to_dict(), lambda: export_text(result))
    for error in result.errors:
        print("zoo:", error, file=sys.stderr)
    return int(bool(result.errors))
