"""`zoo results` compares the metrics of presets with new evaluations."""

from __future__ import annotations

import argparse
from pathlib import Path

from zoo.cli.output import one_line, print_answer, table
from zoo.common.core.verbs import register_verb
from zoo.common.utils.progress import say


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    words = "evaluate the presets again, with the corpora in this folder"
    parser.add_argument("--check", type=Path, required=True, metavar="DATA_ROOT", help=words)
    parser.add_argument("pattern", nargs="?", default="*", help='such as "speech/*"')


@register_verb(
    "results",
    "evaluate presets again, and compare the metrics with the recorded ones",
    'zoo results --check DATA_ROOT "timeseries/*"',
    _add_arguments,
)
def run(options: argparse.Namespace) -> int:
    """Run the verb. The exit status is 1 if a metric differs or was not measured."""
    from zoo.api.check_results import EQUAL, check_results

    rows = list(check_results(options.check, options.pattern))
    shown = [{key: row[key] for key in row if key != "error"} for row in rows]
    print_answer(options, {"rows": rows}, lambda: table(shown))
    errors = [f"{row['name']}: {one_line(row['error'])}" for row in rows if "error" in row]
    for error in dict.fromkeys(errors):
        say(f"zoo: {error}")
    return int(any(row["state"] != EQUAL for row in rows))
