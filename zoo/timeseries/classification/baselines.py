"""Baselines of labelled series: classifiers of statistics of each channel."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from zoo.common.core.baseline import Baseline
from zoo.common.tasks.class_baselines import class_baselines
from zoo.common.tasks.classification import Classifier

STRENGTHS = (0.1, 1.0, 10.0)
# Number of values, evenly spaced in time, in addition to the statistics.
VALUES = 5


def series_baselines(predictor: Classifier, examples: list[Any], seed: int) -> list[Baseline]:
    """Return logistic regressions and SVMs on `statistics`. See `Baselines.baselines`."""
    estimators = {}
    for c in STRENGTHS:
        for name, estimator in (
            ("logistic regression", LogisticRegression(C=c, max_iter=2000)),
            ("RBF SVM", SVC(C=c, random_state=seed)),
        ):
            full_name = f"{name} (C={c:g}) on statistics of each channel"
            estimators[full_name] = make_pipeline(StandardScaler(), estimator)
    return class_baselines(predictor, examples, statistics, estimators)


def statistics(inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return mean, deviation and slope per time step of each channel, and `VALUES` of its values.

    Args:
        inputs: `series` float32 [batch, time, channels] and `lengths` int32 [batch].

    Returns:
        float64 [batch, (3 + VALUES) * channels].
    """
    rows = []
    for series, length in zip(inputs["series"], inputs["lengths"], strict=True):
        values = series[:length].astype(np.float64)
        times = np.arange(length) - (length - 1) / 2
        slopes = times @ values / max(1.0, float(times @ times))
        at = np.linspace(0, length - 1, VALUES)
        resampled = [np.interp(at, np.arange(length), channel) for channel in values.T]
        parts = (values.mean(axis=0), values.std(axis=0), slopes, *resampled)
        rows.append(np.concatenate(parts))
    return np.array(rows)
