"""The family's models: built, trained, exported, and known numbers of the linear one."""

import numpy as np
import pytest

from tests.harness import check_model
from zoo.common.core.registry import entry
from zoo.common.runtime.preset import load_preset
from zoo.timeseries.corpora.segment import Segment

TINY = {"model.context": 8, "training.batch_size": 16}


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("timeseries/ar-laser", {}),
        ("timeseries/lstm-laser", {"model.hidden_size": 4, "model.layers": 2}),
    ],
)
def test_model(name, overrides, laser, tmp_path):
    examples = [Segment("laser", laser[:60])]
    recipe = entry(name).recipe().override(TINY | overrides).adapt(examples)
    check_model(recipe, examples, tmp_path)


@pytest.fixture(scope="module")
def autoregression(laser, tmp_path_factory):
    """(preset, values it was trained on) of an autoregression of order 8."""
    recipe = entry("timeseries/ar-laser").recipe().override(TINY)
    (train,), dev = recipe.data.split_dev([Segment("laser", laser, split="train")], 0.2, 0)
    recipe = recipe.adapt([train])
    folder = tmp_path_factory.mktemp("runs") / "ar"
    recipe.training.train(recipe, [train], dev, folder, log=lambda line: None)
    return load_preset(folder), np.array(train.values)


def raw_weights(preset) -> tuple[np.ndarray, float]:
    """The weights of past values, the latest one last, and the intercept, in the series' units."""
    kernel, bias = preset.recipe.model.linear_layer(preset.model).get_weights()
    mean, deviation = preset.recipe.model.mean, preset.recipe.model.deviation
    return kernel[:, 0], bias[0] * deviation + mean * (1 - kernel.sum())


def test_autoregression_is_least_squares(autoregression):
    preset, values = autoregression
    rows = np.lib.stride_tricks.sliding_window_view(values, 9)
    inputs = np.column_stack([rows[:, :-1], np.ones(len(rows))])
    expected = np.linalg.lstsq(inputs, rows[:, -1], rcond=None)[0]
    weights, intercept = raw_weights(preset)
    np.testing.assert_allclose(weights, expected[:-1], atol=1e-5)
    assert intercept == pytest.approx(expected[-1], abs=1e-3)
    forecast = preset.graphs["model"](series=rows[:5, :-1].astype(np.float32))["forecast"]
    np.testing.assert_allclose(forecast[:, 0], inputs[:5] @ expected, rtol=1e-4)


def test_autoregression_is_that_of_statsmodels(autoregression):
    models = pytest.importorskip("statsmodels.tsa.ar_model")
    preset, values = autoregression
    fitted = models.AutoReg(values, lags=8, trend="c").fit()
    weights, intercept = raw_weights(preset)
    np.testing.assert_allclose(weights[::-1], fitted.params[1:], atol=1e-5)
    assert intercept == pytest.approx(fitted.params[0], abs=1e-3)
    recipe = preset.recipe.override({"decoder.horizon": 20})
    item = {"series": values[-8:].astype(np.float32)}
    answer = recipe.task.answer(preset.graphs, recipe, item)
    expected = fitted.predict(len(values), len(values) + 19)
    np.testing.assert_allclose(answer["forecast"], expected, rtol=1e-3)


def test_a_forecast_does_not_depend_on_units(laser):
    """The same weights, another scale: the scaling is all that differs."""
    recipe = entry("timeseries/lstm-laser").recipe().override(TINY | {"model.hidden_size": 4})
    values = np.array(laser[:60])
    windows = np.lib.stride_tricks.sliding_window_view(values.astype(np.float32), 8)
    forecasts, weights = [], None
    for factor, offset in ((1, 0), (0.01, 273)):
        part = recipe.adapt([Segment("laser", tuple(values * factor + offset))])
        model = part.model.build()
        weights = weights or model.get_weights()
        model.set_weights(weights)
        inputs = {"series": windows * np.float32(factor) + np.float32(offset)}
        forecasts.append((np.array(model(inputs)["forecast"]) - offset) / factor)
    np.testing.assert_allclose(forecasts[0], forecasts[1], atol=0.05)
