"""Measure a preset and its baseline, for metrics.json and the card."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.api.baseline import EXTRA, baseline, intervals
from zoo.api.evaluate import evaluate
from zoo.api.results import BaselineResult, EvaluateResult
from zoo.common.core import registry
from zoo.common.core.baseline import Baselines
from zoo.common.core.capabilities import RowMetrics
from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import compare
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe
from zoo.common.metrics.bootstrap import bootstrap_intervals
from zoo.common.presets import measurements, store
from zoo.common.presets.failures import worst_answers
from zoo.common.utils.packages import check_packages
from zoo.common.utils.progress import say

SEED = 0


def check_baseline_packages(recipe: Recipe) -> None:
    """Raise `ZooError` if a package that fits the baseline of a recipe is not installed."""
    if isinstance(recipe.data, Baselines):
        check_packages(recipe.data.baseline_packages, EXTRA)


def measure(folder: Path, data: str | Path | None, split: str) -> EvaluateResult:
    """Evaluate a preset on a split, and record the result in its metrics.json.

    Args:
        folder: folder of the preset.
        data: folder of the corpus.
        split: name of the split.
    """
    name = store.load_recipe(folder).name
    result = replace(evaluate(str(folder), data=data, split=split), preset=name)
    command = f"zoo evaluate {name}{_option(data)} --split {split}"
    measurements.record_evaluation(folder, result.to_dict(), command)
    return result


def record_failures(folder: Path, result: EvaluateResult) -> None:
    """Record the worst answers of an evaluation on dev, if its rows have reference answers.

    Args:
        folder: folder of the preset, in whose metrics.json the evaluation is recorded.
        result: the evaluation.
    """
    recipe = store.load_recipe(folder)
    restricted = registry.entry(recipe.name).corpus.restricted
    rows = worst_answers(result.rows, recipe, restricted)
    if rows is not None:
        command = measurements.read_metrics(folder)["figures"][result.split]["command"]
        measurements.record_failures(folder, command, rows)


def record_comparison(folder: Path, result: EvaluateResult, data: str | Path | None) -> None:
    """Record the intervals of an evaluation and, if the recipe has one, its baseline.

    A baseline that cannot be fitted, such as one for another language, is left out with a message.

    Args:
        folder: folder of the preset, in whose metrics.json the evaluation is recorded.
        result: the evaluation.
        data: folder of the corpus.
    """
    recipe = store.load_recipe(folder)
    metric = registry.entry(recipe.name).metric
    measurements.record_intervals(folder, result.split, intervals(recipe, result.rows, SEED))
    if not isinstance(recipe.data, Baselines):
        return
    try:
        simple = baseline(recipe.name, data=data, split=result.split, seed=SEED)
    except ZooError as error:
        say(f"No baseline is recorded: {error}")
        return
    delta = result.metrics[metric] - simple.metrics[metric]
    difference = _difference(recipe, metric, result, simple)
    measurements.record_baseline(
        folder,
        {
            "name": simple.baseline,
            "split": simple.split,
            "metrics": simple.metrics,
            "intervals": simple.intervals,
            "metric": metric,
            "difference": difference,
            "compared": compare(metric, *(difference or (delta, delta))),
            "fit_seconds": simple.fit_seconds,
            "answer_ms": simple.answer_ms,
            "seed": simple.seed,
            "command": f"zoo baseline {recipe.name}{_option(data)} --split {simple.split}",
        },
    )


def _option(data: str | Path | None) -> str:
    return f" --data {data}" if data else ""


def _difference(
    recipe: Recipe, metric: str, result: EvaluateResult, simple: BaselineResult
) -> list[float] | None:
    """Return the 95 % interval of the preset's metric minus the baseline's.

    Both are computed on the same resamples. None if the metric is not computed from rows.
    """
    task = recipe.task
    if not isinstance(task, RowMetrics):
        return None
    predictor = recipe.predictor(Graphs("none", {}))

    def measure(pairs: list[dict[str, Any]]) -> dict[str, float]:
        preset, other = (
            task.row_metrics(predictor, [pair[key] for pair in pairs]) for key in ("row", "other")
        )
        return {metric: preset[metric] - other[metric]} if metric in preset else {}

    pairs = [
        {"id": row["id"], "row": row, "other": other}
        for row, other in zip(*map(task.drawn_rows, (result.rows, simple.rows)), strict=True)
    ]
    ends = bootstrap_intervals(measure, pairs, SEED).get(metric)
    return ends and [round(end, 6) for end in ends]
