"""`zoo doctor` describes the installation."""

from __future__ import annotations

import argparse

from zoo.cli.output import print_answer, table
from zoo.common.core.verbs import register_verb


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    pass


@register_verb(
    "doctor", "describe the installation, for a report of a bug", "zoo doctor", _add_arguments
)
def run(options: argparse.Namespace) -> int:
    """Run the verb. The exit status is 1 if an installed library does not work."""
    from zoo.api.doctor import BROKEN, doctor

    rows = doctor()
    print_answer(options, {"rows": rows}, lambda: table(rows))
    return int(any(row["state"] == BROKEN for row in rows))
