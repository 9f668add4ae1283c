"""The command `zoo lab`: run an experiment, or list all experiments."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from zoo.cli.output import print_answer, table
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import register_verb
from zoo.lab.experiment import Outcome, experiments, run_experiment


def list_rows() -> list[dict[str, Any]]:
    """Return one row per experiment: its name, run time and summary."""
    return [
        {"name": each.name, "seconds": each.seconds, "summary": each.summary}
        for each in experiments()
    ]


def outcome_text(outcome: Outcome, files: list[Path]) -> str:
    """Return the text of an outcome, followed by the paths of its files."""
    return "\n".join([outcome.text, "", *map(str, files)])


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", help="name of the experiment; omit it to list all")
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="output directory; default: runs/lab/NAME"
    )
    parser.add_argument("--text", help="input text of the experiment, if it reads text")


@register_verb(
    "lab",
    "run an experiment that shows how recurrent networks work",
    "zoo lab unroll --out pictures",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the command."""
    if options.name is None:
        if options.out or options.text is not None:
            raise ZooError("--out and --text need the name of an experiment.")
        rows = list_rows()
        print_answer(options, {"experiments": rows}, lambda: table(rows))
        return
    outcome, files = run_experiment(options.name, options.out, options.text)
    value = {
        "experiment": options.name,
        "files": [str(path) for path in files],
        "numbers": outcome.numbers,
    }
    print_answer(options, value, lambda: outcome_text(outcome, files))
