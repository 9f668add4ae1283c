"""Precision: forecasts of small deviations from a large level."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.common.metrics.intervals import Intervals
from zoo.common.runtime.keras_model import keras_function
from zoo.common.runtime.preset import load_preset
from zoo.common.training.trainers import train as train_recipe
from zoo.timeseries.forecasting.corpora.segment import Segment

LEVEL = 42_004_010


@pytest.fixture(scope="module")
def meters(laser, tmp_path_factory):
    """Return the presets of autoregressions of the laser and their inputs, without and with `LEVEL`."""
    presets = []
    for level in (0, LEVEL):
        values = tuple(level + value for value in laser[:200])
        prices = tuple((1e9 + 10 * np.sin(n),) for n in range(220))
        segment = Segment("meter", values, covariates=prices, split="train")
        recipe = entry("timeseries/ar-laser").recipe()
        recipe = recipe.override({"model.context": 8, "data.covariates": ("price",)})
        (train,), dev = recipe.data.split_dev([segment], 0.2, 0)
        recipe = recipe.adapt([train])
        folder = tmp_path_factory.mktemp("runs") / str(level)
        train_recipe(recipe, [train], dev, folder, log=lambda line: None)
        presets.append((load_preset(folder), {"names": ["meter"], "history": [segment]}))
    return presets


def answer(preset, item):
    overrides = {"decoder.horizon": 20, "decoder.interval": 0.5}
    predictor = preset.recipe.override(overrides).predictor(preset.graphs)
    return preset.recipe.task.answer(predictor, item)


def test_forecast_and_interval_do_not_depend_on_the_level(meters):
    expected, found = (answer(*each) for each in meters)
    for key in ("forecast", "low", "high"):
        low, high = (np.array([row[key] for row in each["steps"]]) for each in (expected, found))
        np.testing.assert_allclose(high - LEVEL, low, atol=2e-3)
    assert meters[1][0].recipe.model.offset == meters[1][0].recipe.model.mean
    assert meters[0][0].recipe.model.offset == 0
    assert meters[0][0].recipe.model.covariate_offsets == meters[0][0].recipe.model.covariate_means


def test_forecast_of_a_large_level_equals_least_squares(meters):
    preset, item = meters[1]
    (segment,) = item["history"]
    values = np.array(segment.values[:160]) - LEVEL
    prices = np.array(segment.covariates)[:, 0] - 1e9
    rows = np.lib.stride_tricks.sliding_window_view(values, 9)
    inputs = np.column_stack([rows[:, :-1], prices[8:160], np.ones(len(rows))])
    weights = np.linalg.lstsq(inputs, rows[:, -1], rcond=None)[0]
    window = np.array(segment.values[-8:]) - LEVEL
    expected = LEVEL + np.array([*window, prices[200], 1]) @ weights
    assert answer(preset, item)["forecast"][0] == pytest.approx(expected, abs=1e-3, rel=0)


def test_exported_graph_takes_and_returns_values_of_the_data(meters):
    import tensorflow as tf

    preset, _ = meters[1]
    predictor = preset.recipe.predictor(Graphs("graph", {"model": preset.model}))
    signature = preset.recipe.task.signatures(predictor)["serving_default"]
    inputs = preset.recipe.data.example_inputs(preset.recipe.model, preset.recipe.decoder)
    for window, request in zip(inputs["model"], inputs["serving_default"], strict=True):
        assert window["series"].dtype == request["series"].dtype == np.float32
        found = signature.function(*map(tf.constant, request.values()))["forecast"]
        # The request is in float32, which has steps of 4 at this level.
        expected = preset.graphs["model"](**window)["forecast"] + LEVEL
        np.testing.assert_allclose(found, expected, atol=100, rtol=0)
    metadata = preset.recipe.data.export_metadata(preset.recipe.model)
    assert metadata["offset"] == preset.recipe.model.mean


def test_scaling_by_window_does_not_depend_on_the_level(laser):
    recipe = entry("timeseries/lstm-nn5").recipe()
    overrides = {"model.context": 8, "model.hidden_size": 4, "model.steps": 3}
    recipe = recipe.override(overrides | {"data.calendar": (), "decoder.horizon": 5})
    recipe = recipe.adapt([Segment("laser", laser[:60])])
    recipe = recipe.override({"decoder.interval": 0.5})
    recipe = replace(recipe, data=replace(recipe.data, intervals=Intervals(((1.0,) * 5,) * 4)))
    predictor = recipe.predictor(Graphs("keras", {"model": keras_function(recipe.model.build())}))
    expected, found = (
        recipe.task.answer(
            predictor,
            {"names": [""], "history": [Segment("", tuple(level + v for v in laser[:20]))]},
        )["steps"]
        for level in (0, LEVEL)
    )
    for key in ("forecast", "low", "high"):
        for row, shifted in zip(expected, found, strict=True):
            assert shifted[key] - LEVEL == pytest.approx(row[key], abs=1e-3)


@pytest.mark.parametrize(
    ("values", "forecast", "expected", "text"),
    [
        # Seven digits, or six as text; and as many places as the input if these are more digits.
        ((1.5, 2.25), 2.1234567, 2.123457, "2.12346"),
        ((1000000.25, 2000000.5), 2123456.75, 2123456.75, "2123456.75"),
        ((100000001.0, 200000002.0), 212345680.0, 212345680.0, "212345680"),
    ],
)
def test_forecast_has_as_many_digits_as_the_input(values, forecast, expected, text):
    recipe = entry("timeseries/ar-laser").recipe().override({"model.context": 2})
    graphs = Graphs("numpy", {"model": lambda series: {"forecast": np.array([[forecast]])}})
    item = {"names": [""], "history": [Segment("", values)]}
    answer = recipe.task.answer(recipe.predictor(graphs), item)
    assert answer["forecast"] == [expected]
    assert answer["output"] == text


def test_baselines_do_not_depend_on_the_level(laser):
    pytest.importorskip("sklearn")
    found = []
    for level in (0, LEVEL):
        values = tuple(level + value for value in laser[:120])
        train = Segment("train", values[:90], split="train")
        dev = Segment("dev", values[90:], values[:90], "dev")
        recipe = entry("timeseries/ar-laser").recipe().override({"model.context": 8})
        recipe = recipe.adapt([train])
        baselines = recipe.data.baselines(recipe.predictor(Graphs("none", {})), [train], 0)
        ridge = next(each for each in baselines if each.name.startswith("ridge"))
        found.append(recipe.task.evaluate(ridge.fit(), [dev]).metrics["nmse"])
    assert found[1] == pytest.approx(found[0], rel=1e-3)
    assert found[0] < 0.5


def test_exported_graph_of_a_series_in_other_units(laser):
    """Windows are scaled by their deviation, also if it is far below that of the training values."""
    import tensorflow as tf

    recipe = entry("timeseries/lstm-nn5").recipe()
    overrides = {"model.context": 8, "model.hidden_size": 4, "model.steps": 3}
    recipe = recipe.override(overrides | {"data.calendar": (), "decoder.horizon": 5})
    recipe = recipe.adapt([Segment("laser", laser[:60])])
    predictor = recipe.predictor(Graphs("graph", {"model": recipe.model.build()}))
    forecast = recipe.task.signatures(predictor)["serving_default"].function
    window = np.array([laser[:8], laser[8:16], [7.0] * 8], np.float32)
    expected = forecast(tf.constant(window))["forecast"]
    scaled = forecast(tf.constant(window * np.float32(1e-6)))["forecast"]
    np.testing.assert_allclose(scaled[:2] * 1e6, expected[:2], rtol=1e-3)
    # A constant window has the minimum of the deviation, in the units of the data.
    assert recipe.model.unit(window).ravel().tolist() == [1, 1, 1]
    units = recipe.model.unit(window.astype(np.float64) * 1e-6)
    np.testing.assert_allclose(units[:2, 0], window[:2].std(axis=1) * 1e-6 / recipe.model.deviation)
    least = 0.01 * recipe.model.deviation
    assert recipe.model.scale(window)[2, 0] == pytest.approx(least)
    deviation = np.float64(window[0]).std()
    assert recipe.model.scale(window)[0, 0] == pytest.approx(np.hypot(deviation, least))
    assert recipe.model.scale(window * 1e-6)[0, 0] == pytest.approx(deviation * 1e-6, rel=1e-3)
