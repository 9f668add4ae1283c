"""The baselines of forecasts on series with known futures."""

from functools import partial

import numpy as np
import pytest

from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.timeseries.forecasting.baselines import _seasonal, _step_features
from zoo.timeseries.forecasting.corpora.segment import Segment


def baselines_of(name, values, **overrides):
    recipe = entry(name).recipe().override(overrides)
    examples = [Segment("one", tuple(values), split="train")]
    recipe = recipe.adapt(examples)
    found = recipe.data.baselines(recipe.predictor(Graphs("baseline", {})), examples, 0)
    evaluate = partial(recipe.task.evaluate, examples=examples)
    return {each.name: lambda each=each: evaluate(each.fit()).metrics for each in found}


def test_linear_recursion_is_fitted_exactly():
    values = [1.0, 0.5]
    for _ in range(100):
        values.append(1.8 * values[-1] - 0.99 * values[-2])
    found = baselines_of("timeseries/ar-laser", values, **{"model.context": 4})
    assert found["ridge regression (alpha=0.1) on 4 values"]()["nmse"] < 1e-4
    last = found["median of the last 1 values 1 steps apart"]()["nmse"]
    differences = np.diff(values)[3:]
    assert last == pytest.approx(np.mean(differences**2) / np.var(values[4:]), rel=1e-4)


def test_weekly_series_is_repeated():
    values = [float(n % 7 + 1) for n in range(200)]
    overrides = {"model.context": 14, "model.steps": 7, "decoder.horizon": 7, "data.calendar": ()}
    found = baselines_of("timeseries/lstm-nn5", values, **overrides)
    assert found["median of the last 2 values 7 steps apart"]()["smape"] == pytest.approx(
        0, abs=1e-6
    )


def test_seasonal_forecast():
    series = np.array([[9.0, 1, 2, 3, 4, 5, 6]])
    np.testing.assert_array_equal(_seasonal(3, 1, 5, series), [[4, 5, 6, 4, 5]])
    np.testing.assert_array_equal(_seasonal(3, 2, 2, series), [[2.5, 3.5]])


def test_features_of_a_step_are_its_past_seasons():
    x = np.arange(6.0)[np.newaxis]
    np.testing.assert_array_equal(_step_features(x, np.array([1]), 3)[0, 6:], [1, 4, 1, 2.5])
