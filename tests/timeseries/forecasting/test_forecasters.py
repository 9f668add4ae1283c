"""Forecasting models: harness, scaling, and the autoregression compared with statsmodels."""

from dataclasses import replace

import numpy as np
import pytest

from tests.harness import check_model
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.runtime.preset import load_preset
from zoo.common.training.trainers import train as train_recipe
from zoo.timeseries.forecasting.corpora.segment import Segment
from zoo.timeseries.forecasting.models.ar import select_order
from zoo.timeseries.forecasting.time_index import TimeIndex

TINY = {"model.context": 8, "training.batch_size": 16}


@pytest.mark.parametrize(
    ("name", "overrides"),
    [
        ("timeseries/ar-laser", {}),
        ("timeseries/rnn-laser", {"model.hidden_size": 4}),
        pytest.param(
            # Slow, because the other cells test the same code.
            "timeseries/gru-laser",
            {"model.hidden_size": 4},
            marks=pytest.mark.slow,
        ),
        ("timeseries/tdnn-laser", {"model.channels": (4, 3), "model.kernel_sizes": (5, 2)}),
        # Square roots, and a linear model in addition.
        ("timeseries/lstm-sunspots", {"model.hidden_size": 4}),
        (
            "timeseries/lstm-nn5",
            {
                "model.hidden_size": 4,
                "model.layers": 2,
                "model.steps": 3,
                "decoder.horizon": 5,
                "data.covariates": ("price",),
            },
        ),
    ],
)
def test_model_passes_the_harness(name, overrides, laser, tmp_path, formats):
    prices = tuple((value,) for value in laser[60:130])
    examples = [
        Segment("laser", laser[:60], covariates=prices, time_index=TimeIndex("2026-11-24", 1))
    ]
    recipe = entry(name).recipe().override(TINY | overrides).adapt(examples)
    check_model(recipe, examples, tmp_path, formats)


def test_square_roots_are_scaled_back(laser):
    """A network that returns 0 forecasts the deviation: sqrt(value / deviation) - 1 is 0 for it."""
    recipe = entry("timeseries/lstm-sunspots").recipe().override(TINY | {"model.hidden_size": 2})
    recipe = recipe.adapt([Segment("laser", laser)])
    model = recipe.model.build()
    model.set_weights([np.zeros(weight.shape) for weight in model.weights])
    window = np.array([laser[:8]], np.float32)
    forecast = model({"series": window})["forecast"]
    np.testing.assert_allclose(forecast, [[recipe.model.deviation]], rtol=1e-6)
    # With the weight 1 for the last value, the linear model repeats it; negative values count as 0.
    kernel = np.zeros((8, 1), np.float32)
    kernel[-1] = 1
    model.get_layer("linear").set_weights([kernel, np.zeros(1, np.float32)])
    np.testing.assert_allclose(model({"series": window})["forecast"], window[:, -1:], rtol=1e-5)
    np.testing.assert_allclose(model({"series": -window})["forecast"], [[0]], atol=1e-5)


@pytest.mark.parametrize(
    "overrides", [{"model.scaling": "window"}, {"model.offset": 5.0}], ids=["window", "offset"]
)
def test_square_roots_need_unshifted_values(overrides):
    with pytest.raises(
        ZooError, match=r"square_root needs model\.scaling=train, and training values"
    ):
        entry("timeseries/lstm-sunspots").recipe().override(overrides)


@pytest.fixture(scope="module")
def autoregression(laser, tmp_path_factory):
    """Return (preset, training values) of an autoregression of order 8."""
    recipe = entry("timeseries/ar-laser").recipe().override(TINY)
    (train,), dev = recipe.data.split_dev([Segment("laser", laser, split="train")], 0.2, 0)
    recipe = recipe.adapt([train])
    folder = tmp_path_factory.mktemp("runs") / "ar"
    train_recipe(recipe, [train], dev, folder, log=lambda line: None)
    return load_preset(folder), np.array(train.values)


def raw_weights(preset) -> tuple[np.ndarray, float]:
    """Return the weights of past values, the latest one last, and the intercept, unscaled."""
    kernel, bias = preset.recipe.model.linear_layer(preset.model).get_weights()
    mean, deviation = preset.recipe.model.mean, preset.recipe.model.deviation
    return kernel[:, 0], bias[0] * deviation + mean * (1 - kernel.sum())


def test_autoregression_is_the_least_squares_solution(autoregression):
    preset, values = autoregression
    rows = np.lib.stride_tricks.sliding_window_view(values, 9)
    inputs = np.column_stack([rows[:, :-1], np.ones(len(rows))])
    expected = np.linalg.lstsq(inputs, rows[:, -1], rcond=None)[0]
    weights, intercept = raw_weights(preset)
    np.testing.assert_allclose(weights, expected[:-1], atol=1e-5)
    assert intercept == pytest.approx(expected[-1], abs=1e-3)
    forecast = preset.graphs["model"](series=rows[:5, :-1].astype(np.float32))["forecast"]
    np.testing.assert_allclose(forecast[:, 0], inputs[:5] @ expected, rtol=1e-4)


def test_autoregression_equals_statsmodels(autoregression):
    models = pytest.importorskip("statsmodels.tsa.ar_model")
    preset, values = autoregression
    fitted = models.AutoReg(values, lags=8, trend="c").fit()
    weights, intercept = raw_weights(preset)
    np.testing.assert_allclose(weights[::-1], fitted.params[1:], atol=1e-5)
    assert intercept == pytest.approx(fitted.params[0], abs=1e-3)
    predictor = preset.recipe.override({"decoder.horizon": 20}).predictor(preset.graphs)
    item = predictor.data.read_input(values, predictor.model)
    answer = preset.recipe.task.answer(predictor, item)
    expected = fitted.predict(len(values), len(values) + 19)
    np.testing.assert_allclose(answer["forecast"], expected, rtol=1e-3)


def test_order_equals_statsmodels(laser):
    models = pytest.importorskip("statsmodels.tsa.ar_model")
    for values in (np.array(laser[:120]), np.array(laser[100:])):
        largest = round(12 * (len(values) / 100) ** 0.25)
        expected = models.ar_select_order(values, largest, ic="aic").ar_lags
        assert select_order([values]) == max(expected)


def test_order_is_selected_on_the_train_split(laser):
    recipe = entry("timeseries/ar-sunspots").recipe()
    train, dev = (
        Segment("train", laser[:200], split="train"),
        Segment("dev", laser[200:], (), "dev"),
    )
    adapted = recipe.adapt([train, dev])
    assert adapted.model.context == select_order([np.array(train.values)])
    assert adapted.adapt([dev]) == adapted


def test_autoregression_with_covariate_equals_statsmodels(laser, tmp_path):
    models = pytest.importorskip("statsmodels.tsa.ar_model")
    values, prices = np.array(laser[:200]), np.sin(np.arange(220.0))[:, None]
    values = values + 20 * prices[:200, 0]
    recipe = entry("timeseries/ar-laser").recipe()
    recipe = recipe.override({"model.context": 4, "data.covariates": ("price",)})
    train = Segment("laser", tuple(values), covariates=tuple(map(tuple, prices)), split="train")
    dev = replace(train, values=train.values[100:], history=train.values[:100])
    recipe = recipe.adapt([train])
    train_recipe(recipe, [train], [dev], tmp_path / "run", log=lambda line: None)
    preset = load_preset(tmp_path / "run")
    fitted = models.AutoReg(values, lags=4, exog=prices[:200]).fit()
    predictor = preset.recipe.override({"decoder.horizon": 20}).predictor(preset.graphs)
    answer = recipe.task.answer(predictor, {"names": ["laser"], "history": [train]})
    expected = fitted.predict(200, 219, exog_oos=prices[200:])
    np.testing.assert_allclose(answer["forecast"], expected, rtol=2e-3)


def test_scaling_by_window_does_not_depend_on_units(laser):
    """A scaled window has the equally scaled forecast."""
    recipe = entry("timeseries/lstm-nn5").recipe()
    recipe = recipe.override(TINY | {"model.hidden_size": 4, "model.steps": 3})
    recipe = recipe.adapt([Segment("laser", laser[:60], time_index=TimeIndex("2026-11-24", 1))])
    model = recipe.model.build()
    (batch, *_) = recipe.data.example_inputs(recipe.model, recipe.decoder)["model"]
    forecast = np.array(model(batch)["forecast"])
    larger = batch | {"series": batch["series"] * 100 + 7}
    np.testing.assert_allclose(model(larger)["forecast"], forecast * 100 + 7, rtol=1e-3)
    scale = recipe.model.scale(batch["series"])
    assert scale[0, 0] == pytest.approx(batch["series"].std(), rel=1e-2)
    flat = np.full((1, 8), 5.0, np.float32)
    assert recipe.model.scale(flat)[0, 0] == pytest.approx(recipe.model.deviation / 100)


def test_scaling_by_train_does_not_depend_on_units(laser):
    """With equal weights, a model of scaled values has the equally scaled forecast."""
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
