"""`zoo show` shows a recipe's paper, corpus, metrics and settings."""

from __future__ import annotations

import argparse
from typing import Any

from zoo.api.display import figures, plain
from zoo.cli.output import print_answer
from zoo.common.core.verbs import register_verb


def description_text(description: dict[str, Any]) -> str:
    """Return the result of `describe` as text."""
    from zoo.common.presets import store

    corpus, preset = description["corpus"], description["preset"]
    how = "" if preset in store.HERE else f": {store.how_to_get(description['name'])}"
    lines = [
        description["name"],
        f"  {description['summary']}",
        f"  paper    {description['paper']}",
        f"  corpus   {corpus['title']} ({corpus['name']})",
        f"  licence  {corpus['licence']}",
        f"  from     {corpus['source']}",
        f"  get it   {corpus['fetch']}",
        f"  preset   {preset}{how}",
    ]
    splits = description["figures"].items()
    lines += [f"  {split:8} {figures(row['metrics'])}" for split, row in splits]
    lines.append("  settings, for --set")
    width = max(map(len, description["settings"]))
    settings = description["settings"].items()
    lines += [f"    {key:{width}}  {plain(value)}" for key, value in settings]
    return "\n".join(lines)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")


@register_verb(
    "show",
    "show the metrics and settings of a recipe",
    "zoo show speech/bilstm-ctc-an4",
    _add_arguments,
)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    from zoo.api.show import describe

    description = describe(options.name)
    print_answer(options, description, lambda: description_text(description))
