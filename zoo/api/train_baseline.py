"""Fit the baseline of a training first, and compare the best epoch with it."""

from __future__ import annotations

from typing import Any

from zoo.api.baseline import EXTRA, compared_metric, fit_best, intervals
from zoo.api.sources import TrainingExamples
from zoo.common.core.baseline import Baselines
from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import BETTER, EQUAL, WORSE, compare
from zoo.common.core.recipe import Recipe
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.utils.packages import check_packages
from zoo.common.utils.progress import say

COMPARED = {
    BETTER: "is better than the baseline",
    EQUAL: "and the baseline are equal",
    WORSE: "is below the baseline",
}


def fit_baseline(recipe: Recipe, examples: TrainingExamples, size: int) -> dict[str, Any]:
    """Fit the baseline of a network, unless that takes long, and say its metric on dev.

    Args:
        recipe: the adapted recipe.
        examples: usable examples.
        size: number of train examples, as records count them.

    Returns:
        `name`, the compared `metric`, its `value` on dev and its 95 % `interval`, None if it has none.
        Empty without a baseline.
    """
    data = recipe.data
    if (
        not isinstance(data, Baselines)
        or not isinstance(recipe.model, KerasModel)
        or size > data.baseline_limit
    ):
        return {}
    seed = recipe.training.seed
    try:
        check_packages(data.baseline_packages, EXTRA)
        best, _ = fit_best(recipe, examples.train, examples.dev, seed)
    except ZooError as error:
        say(f"No baseline is fitted: {error}")
        return {}
    metric = compared_metric(recipe, best.dev.metrics)
    value = best.dev.metrics[metric]
    say(f"Baseline: {best.name}: dev {metric} {value:.4f}, fitted in {best.seconds:.1f} s")
    interval = intervals(recipe, best.dev.rows, seed).get(metric)
    return {
        "name": best.name,
        "metric": metric,
        "value": round(value, 6),
        "interval": interval,
    }


def compare_with_baseline(baseline: dict[str, Any], row: dict[str, float]) -> dict[str, Any]:
    """Say whether the best epoch is better than the baseline on dev.

    Args:
        baseline: result of `fit_baseline`.
        row: the row of the best epoch.

    Returns:
        The baseline with `compared`, a key of `COMPARED`: `EQUAL` inside the interval.
    """
    if not baseline:
        return {}
    metric, value, interval = (baseline[key] for key in ("metric", "value", "interval"))
    low, high = interval or (value, value)
    found = compare(metric, row[metric] - high, row[metric] - low)
    around = f" (95 % interval {interval[0]:.4f} to {interval[1]:.4f})" if interval else ""
    say(
        f"The model {COMPARED[found]} on dev: {metric} {row[metric]:.4f}, baseline {value:.4f}{around}."
    )
    return baseline | {"compared": found}
