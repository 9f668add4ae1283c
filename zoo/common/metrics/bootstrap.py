"""Confidence intervals of metrics by the bootstrap.

Efron & Tibshirani, "An introduction to the bootstrap" (1993), section 13.3: the percentile interval.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

RESAMPLES = 500
LEVEL = 0.95

Row = dict[str, Any]


def bootstrap_intervals(
    metrics: Callable[[list[Row]], dict[str, float]], rows: list[Row], seed: int
) -> dict[str, tuple[float, float]]:
    """Return the 95 % interval (low, high) of each metric.

    Rows with the same id, such as the forecasts of one series, are drawn together, unless all rows have
    the same id.

    Args:
        metrics: computes metrics by name from rows. It may leave one out for some rows.
        rows: rows of an evaluation, each with its `id`.
        seed: seed of the resamples.
    """
    by_id: dict[Any, list[Row]] = {}
    for row in rows:
        by_id.setdefault(row["id"], []).append(row)
    groups = list(by_id.values()) if len(by_id) > 1 else [[row] for row in rows]
    generator = np.random.default_rng(seed)
    values: dict[str, list[float]] = {}
    for _ in range(RESAMPLES):
        drawn = generator.integers(len(groups), size=len(groups)).tolist()
        for name, value in metrics([row for i in drawn for row in groups[i]]).items():
            values.setdefault(name, []).append(value)
    tails = ((1 - LEVEL) / 2, (1 + LEVEL) / 2)
    return {name: tuple(np.quantile(each, tails).tolist()) for name, each in values.items()}
