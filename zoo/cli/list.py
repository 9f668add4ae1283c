"""`zoo list` lists the recipes whose names match a pattern."""

from __future__ import annotations

import argparse
from typing import Any

from zoo.cli.output import print_answer, table
from zoo.common.core.verbs import register_verb


def list_text(rows: list[dict[str, Any]]) -> str:
    """Return the rows as text, with the commands that provide missing presets and better choices."""
    from zoo.common.presets import store

    notes = dict.fromkeys(
        f"{row['preset']}: {store.how_to_get(row['name']).replace(row['name'], 'NAME')}"
        for row in rows
        if row["preset"] not in store.HERE
    )
    better = [f"{row['name']} is worse than {row['better']}" for row in rows if row["better"]]
    columns = [{key: value for key, value in row.items() if key != "better"} for row in rows]
    return "\n".join([table(columns), *notes, *better])


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pattern", nargs="?", default="*", help='such as "speech/*"')


@register_verb("list", "list the recipes", 'zoo list "speech/*"', _add_arguments)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    from zoo.api.listing import list_rows

    rows = list_rows(options.pattern)
    print_answer(options, {"models": rows}, lambda: list_text(rows))
