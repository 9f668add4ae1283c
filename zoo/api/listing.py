"""List the registered recipes."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import WORSE, is_better
from zoo.common.core.source_index import Listing
from zoo.common.presets import store
from zoo.common.presets.measurements import BASELINE


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
    figures = {listing.name: _figures(listing) for listing in found}
    return [
        {
            "name": listing.name,
            "corpus": listing.corpus,
            "metric": listing.metric,
            "test": figures[listing.name].test,
            "preset": store.state_of(listing.name),
            "better": _better(listing, figures[listing.name]),
            "summary": listing.summary,
        }
        for listing in found
    ]


class _Figures(NamedTuple):
    """The metric of a preset on test and of a baseline that is better than it; None if unknown."""

    test: float | None = None
    baseline: float | None = None


def _figures(listing: Listing) -> _Figures:
    path = store.folder_of(listing.name) / store.METRICS_FILE
    if not path.exists():
        return _Figures()
    try:
        metrics, name = json.loads(path.read_text(encoding="utf-8")), listing.metric
        test = metrics["figures"].get(listing.test_split, {}).get("metrics", {}).get(name)
        baseline = metrics.get(BASELINE, {})
        wins = bool(baseline) and baseline["compared"] == WORSE
        return _Figures(test, baseline["metrics"][name] if wins else None)
    except (ValueError, KeyError, AttributeError, TypeError) as error:
        raise ZooError(f"{path} is corrupt: {error}.") from None


def _better(listing: Listing, figures: _Figures) -> str | None:
    """Return the best preset of the corpus, or else the baseline, for a preset below its baseline."""
    if figures.baseline is None:
        return None
    better, value = f"zoo baseline {listing.name}", figures.baseline
    for other in registry.listings():
        same = (other.corpus, other.metric, other.test_split)
        if same != (listing.corpus, listing.metric, listing.test_split):
            continue
        test = _figures(other).test
        if test is not None and is_better(listing.metric, test, than=value):
            better, value = other.name, test
    return better
