"""`zoo show`: a recipe's paper, corpus, figures and settings."""

from __future__ import annotations

import argparse
from typing import Any

from zoo.cli.output import figures, plain, print_answer
from zoo.common.core import registry
from zoo.common.core.recipe import settings
from zoo.common.core.verbs import register_verb
from zoo.common.presets import store
from zoo.common.presets.card import read_metrics


def describe(name: str) -> dict[str, Any]:
    """Return all that is known of a recipe and its preset.

    Raises:
        ZooError: there is no recipe of that name.
    """
    entry = registry.entry(name)
    corpus = {key: getattr(entry.corpus, key) for key in ("name", "title", "licence", "source")}
    return {
        "name": entry.name,
        "summary": entry.summary,
        "paper": entry.paper,
        "corpus": corpus,
        "metric": entry.metric,
        "preset": store.state_of(name),
        "figures": read_metrics(store.folder_of(name)).get("figures", {}),
        "settings": settings(entry.recipe()),
    }


def description_text(about: dict[str, Any]) -> str:
    """Return the answer of `describe` for a person to read."""
    corpus = about["corpus"]
    how = "" if about["preset"] in store.HERE else f": {store.how_to_get(about['name'])}"
    lines = [
        about["name"],
        f"  {about['summary']}",
        f"  paper    {about['paper']}",
        f"  corpus   {corpus['title']} ({corpus['name']})",
        f"  licence  {corpus['licence']}",
        f"  from     {corpus['source']}",
        f"  preset   {about['preset']}{how}",
    ]
    lines += [f"  {split:8} {figures(row['metrics'])}" for split, row in about["figures"].items()]
    lines.append("  settings, for --set")
    width = max(map(len, about["settings"]))
    lines += [f"    {key:{width}}  {plain(value)}" for key, value in about["settings"].items()]
    return "\n".join(lines)


def _add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name")


@register_verb("show", "show all about a recipe", "zoo show speech/bilstm-ctc-an4", _add_arguments)
def run(options: argparse.Namespace) -> None:
    """Run the verb."""
    about = describe(options.name)
    print_answer(options, about, lambda: description_text(about))
