"""Arguments that several verbs have."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.cli.sources import DATA_VARIABLE
from zoo.common.core.errors import ZooError
from zoo.common.runtime import AUTO


def add_preset(parser: argparse.ArgumentParser) -> None:
    """Add the preset, by name, or the run, by folder."""
    parser.add_argument("preset", metavar="PRESET|RUN")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add `--data`, the folder of a corpus."""
    words = f"the corpus; default: its folder in {DATA_VARIABLE}"
    parser.add_argument("--data", type=Path, metavar="DIR", help=words)


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add `--data` and `--manifest`, where examples come from."""
    add_data(parser)
    parser.add_argument(
        "--manifest", type=Path, metavar="FILE", help="a list of your own data; see the README"
    )


def add_backend(parser: argparse.ArgumentParser, default: str = AUTO) -> None:
    """Add `--backend`, the runtime.

    Args:
        default: the runtime of a user who names none.
    """
    words = "auto (a valid ONNX export, else keras), keras, savedmodel, onnx or litert"
    parser.add_argument("--backend", default=default, help=f"{words}; default {default}")


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add all that a verb takes which answers inputs with a preset."""
    add_preset(parser)
    words = "a file, a folder or a text, as the preset takes it; after --, one may begin with --"
    parser.add_argument("input", nargs="+", help=words)
    parser.add_argument("--jsonl", action="store_true", help="a JSON object a line for each input")
    words = "export the preset to ONNX first, where it is not: each later answer begins sooner"
    parser.add_argument("--cache", action="store_true", help=words)
    add_backend(parser)


def check_json(options: argparse.Namespace) -> None:
    """Check that a verb with `add_inputs` was asked for one form of answer.

    Raises:
        ZooError: for two.
    """
    if options.json and options.jsonl:
        raise ZooError("--json and --jsonl exclude each other.")
