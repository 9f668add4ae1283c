"""List the registered recipes."""

from __future__ import annotations

import json
from typing import Any

from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.source_index import Listing
from zoo.common.presets import store


def list_rows(pattern: str = "*") -> list[dict[str, Any]]:
    """Return one row per recipe whose name matches a shell pattern.

    Args:
        pattern: such as "speech/*".

    Raises:
        ZooError: no name matches.
    """
    found = registry.listings(pattern)
    if not found:
        raise ZooError(f"No recipe matches {pattern!r}. Valid: {', '.join(registry.names())}.")
    return [
        {
            "name": listing.name,
            "corpus": listing.corpus,
            "metric": listing.metric,
            "test": _test_metric(listing),
            "preset": store.state_of(listing.name),
            "summary": listing.summary,
        }
        for listing in found
    ]


def _test_metric(listing: Listing) -> float | None:
    """Return the metric of a preset on the test split; None if it was not measured."""
    path = store.folder_of(listing.name) / store.METRICS_FILE
    if not path.exists():
        return None
    try:
        metrics = json.loads(path.read_text(encoding="utf-8"))
        split = metrics["figures"].get(listing.test_split, {})
        return split.get("metrics", {}).get(listing.metric)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ZooError(f"{path} is corrupt: {error}.") from None
