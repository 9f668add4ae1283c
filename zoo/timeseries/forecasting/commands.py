"""`zoo train --target`: the column of a table to forecast."""

from __future__ import annotations

import argparse

from zoo.common.core.verbs import extend_verb


def _add_target(parser: argparse.ArgumentParser) -> None:
    words = "column of a table of series to forecast; the same as --set data.target=COLUMN"
    parser.add_argument("--target", metavar="COLUMN", help=words)


@extend_verb("train", _add_target)
def set_target(options: argparse.Namespace) -> None:
    """Add the column to the settings of the training."""
    if options.target is not None:
        options.set = [*options.set, f"data.target={options.target}"]
