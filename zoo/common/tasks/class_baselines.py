"""Classifiers of scikit-learn as baselines of classification."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from zoo.common.core.baseline import Baseline
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.data.labels import Labels
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.classification import Classifier

BATCH = 256
# The logit of a class without training examples.
NEVER = -1e9

# Maps model inputs to features [batch, ...].
Features = Callable[[dict[str, np.ndarray]], np.ndarray]


def class_baselines(
    predictor: Classifier,
    examples: list[Any],
    features: Features,
    estimators: Mapping[str, Any],
) -> list[Baseline]:
    """Return one baseline for each estimator.

    Args:
        predictor: the parts of the recipe.
        examples: examples of the train split.
        features: computes what the estimators read.
        estimators: classifiers with `decision_function`, not fitted, by name.

    Raises:
        ZooError: all examples have the same class.
    """
    labels = np.array([predictor.data.labels.class_of(example) for example in examples])
    check_classes(labels, predictor.data.labels, "examples")
    data, model = predictor.data, predictor.model
    started, rows = time.perf_counter(), []
    for start in range(0, len(examples), BATCH):
        items = [data.read_example(e, model) for e in examples[start : start + BATCH]]
        rows.append(features(data.collate(items)))
    x, size = np.concatenate(rows), data.labels.size
    seconds = time.perf_counter() - started

    def fit(estimator: Any) -> Classifier:
        estimator.fit(x, labels)
        graph = partial(_logits, features, estimator, size)
        return replace(predictor, graphs=Graphs("sklearn", {MODEL: graph}))

    return [Baseline(name, partial(fit, each), seconds) for name, each in estimators.items()]


def _logits(
    features: Features, estimator: Any, size: int, **inputs: np.ndarray
) -> dict[str, np.ndarray]:
    return {"logits": class_logits(estimator, features(inputs), size)}


def check_classes(labels: np.ndarray, names: Labels, noun: str) -> None:
    """Check that a classifier can be fitted.

    Args:
        labels: int [examples].
        names: name of each class.
        noun: name of an input in the error message.

    Raises:
        ZooError: there is only one class.
    """
    if len(set(labels.tolist())) < 2:
        raise ZooError(
            f"A baseline needs training {noun} of at least two classes. "
            f"Received: {len(labels)} {noun} of the class {names.decode(labels[:1])[0]!r}."
        )


def class_logits(estimator: Any, x: Any, size: int) -> np.ndarray:
    """Return logits float64 [rows, size]. A class without training examples has the logit `NEVER`.

    Args:
        estimator: a fitted classifier with `decision_function`.
        x: its features, [rows, ...].
        size: number of classes.
    """
    scores = estimator.decision_function(x)
    if scores.ndim == 1:  # two classes have one score, the difference of their logits
        scores = np.stack([-scores / 2, scores / 2], axis=1)
    logits = np.full((len(scores), size), NEVER)
    logits[:, estimator.classes_] = scores
    return logits
