"""Describe a recipe and its preset."""

from __future__ import annotations

from typing import Any

from zoo.common.core import registry
from zoo.common.core.recipe import settings
from zoo.common.presets import store
from zoo.common.presets.measurements import read_metrics


def describe(name: str) -> dict[str, Any]:
    """Return the paper, corpus, metrics and settings of a recipe, JSON-ready.

    Args:
        name: a registered recipe.

    Raises:
        ZooError: there is no recipe of that name.
    """
    entry = registry.entry(name)
    corpus = {key: getattr(entry.corpus, key) for key in ("name", "title", "licence", "source")}
    return {
        "name": entry.name,
        "summary": entry.summary,
        "paper": entry.paper,
        "corpus": corpus | {"fetch": entry.corpus.fetch_command},
        "metric": entry.metric,
        "preset": store.state_of(name),
        "figures": read_metrics(store.folder_of(name)).get("figures", {}),
        "settings": settings(entry.recipe()),
    }
