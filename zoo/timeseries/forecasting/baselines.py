"""Baselines of forecasts: the last season, ridge regression and gradient boosting on past values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge
from threadpoolctl import threadpool_limits

from zoo.common.core.baseline import Baseline
from zoo.common.core.model import Graphs
from zoo.common.core.predictor import Predictor
from zoo.common.runtime.keras_model import MODEL
from zoo.timeseries.forecasting.forecaster import WINDOW, Forecaster

PENALTIES = (0.1, 1.0, 10.0, 100.0)
LOSSES = ("squared_error", "absolute_error")
# Maximum number of (window, step) pairs that boosting is fitted on.
MAX_ROWS = 50_000

Forecast = Callable[[np.ndarray], np.ndarray]


def series_baselines(
    predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
) -> list[Baseline]:
    """Return seasonal forecasts, ridge regressions and boosted trees. See `Baselines.baselines`.

    They read the window of the model, and no covariates.
    """
    data, model = predictor.data, predictor.model
    season, seasons = data.season, model.context // data.season
    windows = [data.windows(example, model, model.steps) for example in examples]
    series = np.concatenate([each.inputs["series"] for each in windows])
    targets = np.concatenate([each.targets for each in windows])
    # As the inputs of the graph, whose place the baselines take.
    offsets = model.offsets(series)
    series, targets = series - offsets, targets - offsets
    whole = ~np.isnan(targets).any(axis=1)

    def make(name: str, fit: Callable[[], Forecast]) -> Baseline:
        def predict(forecast: Forecast, series: np.ndarray, **_: Any) -> dict[str, np.ndarray]:
            mean, deviation = scaling(model, series)
            return {"forecast": forecast((series - mean) / deviation) * deviation + mean}

        def fitted() -> Predictor[Any, Any, Any]:
            graphs = Graphs("sklearn", {MODEL: partial(predict, fit())})
            return replace(predictor, graphs=graphs)

        return Baseline(name, fitted)

    found = []
    for count in sorted({1, max(1, seasons // 2), seasons} if seasons else {}):
        name = f"median of the last {count} values {season} steps apart"
        found.append(make(name, partial(_fit_nothing, season, count, model.steps)))
    if not whole.any():
        return found
    mean, deviation = scaling(model, series[whole])
    x, y = (series[whole] - mean) / deviation, (targets[whole] - mean) / deviation
    for penalty in PENALTIES:
        fit = partial(_fit_ridge, x, y, penalty)
        found.append(make(f"ridge regression (alpha={penalty:g}) on {model.context} values", fit))
    for loss in LOSSES:
        fit = partial(_fit_boosting, x, y, season, loss, seed)
        found.append(make(f"gradient boosting ({loss}) on {model.context} values", fit))
    return found


def scaling(model: Forecaster, series: np.ndarray) -> tuple[Any, np.ndarray]:
    """Return the mean and the deviation that scale windows, as those of the recipe's model.

    Args:
        model: config of the model.
        series: float [windows, context], minus the offsets of the model.
    """
    mean = series.mean(axis=1, keepdims=True) if model.scaling == WINDOW else model.scales()[0]
    return mean, model.scale(series)


def _fit_nothing(season: int, count: int, steps: int) -> Forecast:
    return partial(_seasonal, season, count, steps)


def _seasonal(season: int, count: int, steps: int, series: np.ndarray) -> np.ndarray:
    """Return the median of the same step of the last seasons, [windows, steps]."""
    last = series[:, -season * count :].reshape(len(series), count, season)
    return np.median(last, axis=1)[:, np.arange(steps) % season]


def _fit_ridge(x: np.ndarray, y: np.ndarray, penalty: float) -> Forecast:
    ridge = Ridge(alpha=penalty).fit(x, y)
    # One step is predicted without an axis of steps.
    return lambda series: ridge.predict(series).reshape(len(series), -1)


def _fit_boosting(x: np.ndarray, y: np.ndarray, season: int, loss: str, seed: int) -> Forecast:
    """Return boosted trees of all steps, which have the number of the step as a feature."""
    steps = y.shape[1]
    drawn = np.random.default_rng(seed).permutation(y.size)[:MAX_ROWS]
    rows, step = np.divmod(drawn, steps)
    trees = HistGradientBoostingRegressor(loss=loss, random_state=seed)
    with threadpool_limits(1):  # threads that wait for a busy processor take many times as long
        trees.fit(_step_features(x[rows], step, season), y[rows, step])

    def predict(series: np.ndarray) -> np.ndarray:
        each = np.repeat(series, steps, axis=0)
        step = np.tile(np.arange(steps), len(series))
        with threadpool_limits(1):
            values = trees.predict(_step_features(each, step, season))
        return values.reshape(len(series), steps)

    return predict


def _step_features(x: np.ndarray, step: np.ndarray, season: int) -> np.ndarray:
    """Return the window, the step, and the values of the same step of past seasons.

    Args:
        x: float [rows, context].
        step: int [rows], the number of the forecast step, from 0.
        season: number of steps in a season.
    """
    if season == 1:
        return np.column_stack([x, step])
    past = x.shape[1] - season + step % season
    lags = past[:, np.newaxis] - season * np.arange(x.shape[1] // season)
    same = np.take_along_axis(x, np.maximum(lags, 0), axis=1)
    return np.column_stack([x, step, same, np.median(same, axis=1)])
