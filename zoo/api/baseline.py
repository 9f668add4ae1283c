"""Fit a simple model on the examples of a recipe, and evaluate it as the recipe is evaluated."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from zoo.api.results import BaselineResult
from zoo.api.sources import (
    ALL,
    DEV,
    TRAIN,
    filter_training,
    find_source,
    read_split,
    read_train_and_dev,
    source_name,
    training_sizes,
)
from zoo.api.suited import suit
from zoo.common.core import registry
from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import RowMetrics
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.metrics import is_better
from zoo.common.core.model import Graphs
from zoo.common.core.predictor import Predictor
from zoo.common.core.recipe import Recipe
from zoo.common.metrics.bootstrap import bootstrap_intervals
from zoo.common.utils.packages import check_packages

EXTRA = "baselines"


class Fitted(NamedTuple):
    """A fitted baseline, with its evaluation on dev."""

    name: str
    predictor: Predictor[Any, Any, Any]
    seconds: float
    dev: Evaluation


def baseline(
    recipe: str,
    *,
    data: str | Path | None = None,
    manifest: str | Path | None = None,
    split: str | None = None,
    overrides: Mapping[str, Any] | None = None,
    seed: int = 0,
) -> BaselineResult:
    """Fit a simple model on the train split of a recipe, and evaluate it with the recipe's metrics.

    The model depends on the data: an SVM on statistics of a recording, for example, or n-grams for a
    language model. Its settings are chosen on dev. A network should be better than it.

    Args:
        recipe: a registered recipe.
        data: folder of the corpus; None for the one in the package, in ZOO_DATA or in the cache.
        manifest: a list of your own examples to use instead of the corpus.
        split: the split to evaluate; None for the test split, or dev for a manifest.
        overrides: settings by dotted key, as in `train`, such as the columns of a manifest.
        seed: seed of the model and of the intervals.

    Raises:
        ZooError: the recipe has no baseline, scikit-learn is not installed, or the examples are not
            enough.

    Examples:
        >>> import zoo
        >>> result = zoo.baseline("language/charlstm-hello", split="dev")
        >>> result.baseline
        'Kneser-Ney 6-grams'
    """
    check_range("seed", seed, at_least=0, at_most=2**32 - 1)
    entry, overrides = registry.entry(recipe), dict(overrides or {})
    built = entry.recipe().override(overrides)
    if not isinstance(built.data, Baselines):
        raise ZooError(f"{recipe} has no baseline: its data has no simple model to compare with.")
    check_packages(built.data.baseline_packages, EXTRA)
    check_packages(built.task.packages, "evaluate")
    corpus, source = entry.corpus, find_source(data, manifest, entry.corpus)
    split = split or (DEV[0] if source.manifest else corpus.test_split)
    if split in (TRAIN, ALL, corpus.train_split):
        raise ZooError(f"split must not contain the training examples. Received: {split!r}.")
    if source.manifest:
        built = built.from_scratch()
    examples = read_train_and_dev(built, corpus, source)
    if source.manifest:
        built = suit(built, examples.train, overrides)
    built = built.adapt(built.data.vocabulary_examples(examples.train, examples.dev))
    test = None if split == DEV[0] else read_split(built, corpus, source, split)
    examples, _ = filter_training(built, examples)
    training_sizes(built, examples, source)

    best, candidates = fit_best(built, examples.train, examples.dev, seed)
    evaluation = best.dev if test is None else built.task.evaluate(best.predictor, test)
    return BaselineResult(
        recipe=recipe,
        baseline=best.name,
        corpus=source_name(source, corpus),
        split=split,
        examples=evaluation.num_examples,
        metrics=_rounded(evaluation.metrics),
        intervals=intervals(built, evaluation.rows, seed),
        dev=_rounded(best.dev.metrics),
        fit_seconds=round(best.seconds, 3),
        answer_ms=round(1000 * evaluation.seconds / max(1, evaluation.num_examples), 4),
        seed=seed,
        candidates=candidates,
        rows=evaluation.rows,
    )


def fit_best(
    recipe: Recipe, train: list[Any], dev: list[Any], seed: int
) -> tuple[Fitted, list[dict[str, Any]]]:
    """Return the baseline that is best on dev, and a row for each one.

    Args:
        recipe: an adapted recipe whose data is `Baselines`.
        train: usable examples of the train split.
        dev: usable examples of the dev split.
        seed: seed of the models.

    Raises:
        ZooError: no baseline can be fitted.
    """
    data = recipe.data
    assert isinstance(data, Baselines)
    fitted: Fitted | None = None
    rows = []
    for each in data.baselines(recipe.predictor(Graphs("baseline", {})), train, seed):
        found = _fit(recipe, each, dev)
        metric = compared_metric(recipe, found.dev.metrics)
        value = found.dev.metrics[metric]
        rows.append({"baseline": each.name, metric: value, "fit_seconds": round(found.seconds, 3)})
        if fitted is None or is_better(metric, value, than=fitted.dev.metrics[metric]):
            fitted = found
    if fitted is None:
        raise ZooError(f"{recipe.name} has no baseline for these examples: they are too few.")
    return fitted, rows


def compared_metric(recipe: Recipe, metrics: Mapping[str, float]) -> str:
    """Return the metric by which the preset of a recipe is reported.

    If it is not among the metrics, return the one that chooses the best epoch.
    """
    reported = registry.entry(recipe.name).metric
    return reported if reported in metrics else recipe.task.monitor


def _fit(recipe: Recipe, baseline: Baseline, dev: list[Any]) -> Fitted:
    started = time.perf_counter()
    predictor = baseline.fit()
    seconds = baseline.seconds + time.perf_counter() - started
    return Fitted(baseline.name, predictor, seconds, recipe.task.evaluate(predictor, dev))


def intervals(recipe: Recipe, rows: list[dict[str, Any]], seed: int) -> dict[str, list[float]]:
    """Return the 95 % interval of each metric that can be computed from the rows of an evaluation."""
    if not isinstance(recipe.task, RowMetrics):
        return {}
    measure = partial(recipe.task.row_metrics, recipe.predictor(Graphs("none", {})))
    found = bootstrap_intervals(measure, recipe.task.drawn_rows(rows), seed)
    return {name: [round(end, 6) for end in ends] for name, ends in found.items()}


def _rounded(metrics: Mapping[str, float]) -> dict[str, float]:
    return {name: round(value, 6) for name, value in metrics.items()}
