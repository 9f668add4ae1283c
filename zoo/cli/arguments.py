"""Arguments that several verbs have."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.common.core.corpus import DATA_VARIABLE
from zoo.common.core.errors import ZooError

AUTO, KERAS = "auto", "keras"


def add_preset(parser: argparse.ArgumentParser) -> None:
    """Add the argument `preset`: the name of a preset, or the folder of a run."""
    parser.add_argument("preset", metavar="PRESET|RUN")


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add `--data`, the folder of a corpus."""
    words = f"folder of the corpus; default: its folder in {DATA_VARIABLE}"
    parser.add_argument("--data", type=Path, metavar="DIR", help=words)


def add_source(parser: argparse.ArgumentParser) -> None:
    """Add `--data` and `--manifest`, the sources of examples."""
    add_data(parser)
    words = "a list of your own examples; see docs/own-data.md"
    parser.add_argument("--manifest", type=Path, metavar="FILE", help=words)


def add_backend(parser: argparse.ArgumentParser, default: str = AUTO) -> None:
    """Add `--backend`, the runtime.

    Args:
        parser: parser of the verb.
        default: the default runtime.
    """
    words = (
        "auto (a valid ONNX export, else keras), keras, savedmodel, onnx or litert; onnx-int8 and so on "
        "for exports with smaller weights"
    )
    parser.add_argument("--backend", default=default, help=f"{words}; default: {default}")


def add_inputs(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of a verb that answers inputs with a preset."""
    add_preset(parser)
    words = (
        "file, folder or text, depending on the preset; inputs after -- may begin with --. A model of "
        "texts reads a file line by line; put a space before a text that is also the name of a file"
    )
    parser.add_argument("input", nargs="+", help=words)
    parser.add_argument("--jsonl", action="store_true", help="print one JSON object per input")
    add_cache(parser)
    add_backend(parser)


def add_cache(parser: argparse.ArgumentParser) -> None:
    """Add `--cache`, which exports the preset to the runtime that starts fastest."""
    words = "export the preset to ONNX first, unless it is exported: later answers start sooner"
    parser.add_argument("--cache", action="store_true", help=words)


def check_json(options: argparse.Namespace) -> None:
    """Check the output options of a verb with `add_inputs`.

    Raises:
        ZooError: both --json and --jsonl are given.
    """
    if options.json and options.jsonl:
        raise ZooError("--json and --jsonl exclude each other.")
