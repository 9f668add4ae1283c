"""`zoo list`: every recipe, or those whose names match."""

from __future__ import annotations

import argparse
from typing import Any

from zoo.cli.output import print_answer, table
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.verbs import register_verb
from zoo.common.presets import store
from zoo.common.presets.card import read_metrics


def list_rows(pattern: str = "*") -> list[dict[str, Any]]:
    """Return a row for each recipe whose name matches a shell pattern.

    Raises:
        ZooError: none does.
    """
    found = registry.entries(pattern)
    if not found:
        valid = ", ".join(entry.name for entry in registry.entries())
        raise ZooError(f"No recipe matches {pattern!r}. Valid: {valid}.")
    return [
        {
            "name": entry.name,
            "corpus": entry.corpus.name,
            "metric": entry.metric,
            "test": _figure_on_test(entry),
            "preset": store.state_of(entry.name),
            "summary": entry.summary,
        }
        for entry in found
    ]


def list_text(rows: list[dict[str, Any]]) -> str:
    """Return the rows for a person to read, with what to do where a preset is not here."""
    notes = dict.fromkeys(
        f"{row['preset']}: {store.how_to_get(row['name']).replace(row['name'], 'NAME')}"
        for row in rows
        if row["preset"] not in store.HERE
    )
    return "\n".join([table(rows), *notes])


def _figure_on_test(entry: registry.Entry) -> float | None:
    """What a recipe's preset reached on test by its metric; None where it was not measured."""
    figures = read_metrics(store.folder_of(entry.name)).get("figures", {})
    return figures.get(entry.corpus.test_split, {}).get("metrics", {}).get(entry.metric)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pattern", nargs="?", default="*", help='such as "speech/*"')


@register_verb("list", "list the recipes", 'zoo list "speech/*"', _add_arguments)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    rows = list_rows(options.pattern)
    print_answer(options, {"models": rows}, lambda: list_text(rows))
