"""`zoo plot` draws an input with the answer of a preset."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.cli.arguments import add_backend, add_preset
from zoo.cli.decoding import accept_options, given_options
from zoo.cli.output import print_answer
from zoo.common.core.verbs import register_verb


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    add_preset(parser)
    parser.add_argument("input")
    words = "the PNG file; default: the name of the input, in this folder"
    parser.add_argument("--out", type=Path, metavar="FILE.png", help=words)
    add_backend(parser)
    accept_options(parser)


@register_verb(
    "plot",
    "plot an input with the answer of a preset",
    "zoo plot speech/bilstm-ctc-an4 hello.wav --out hello.png",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    from zoo.api.plot import plot

    result = plot(
        options.preset,
        options.input,
        options.out or Path(Path(options.input).stem + ".png"),
        runtime=options.backend,
        options=given_options(options),
    )
    print_answer(options, result.to_dict(), lambda: str(result.path))
