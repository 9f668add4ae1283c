"""Test forecasting on a model that doubles the last value."""

from dataclasses import replace

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.common.core.task import checked_batch
from zoo.common.metrics.intervals import Intervals
from zoo.common.runtime.keras_model import keras_function
from zoo.timeseries.forecasting.corpora.segment import Segment


def doubled(series):
    return {"forecast": 2 * series[:, -1:]}


GRAPHS = Graphs("numpy", {"model": doubled})
SERIES = Segment("series", (1.0, 2.0, 4.0, 6.0, 8.0), history=(0.0, 0.5))


@pytest.fixture
def recipe():
    return entry("timeseries/ar-laser").recipe().override({"model.context": 2})


def item_of(*values):
    """Return the result of `read_input` for one series without times."""
    return {"names": [""], "history": [Segment("series", values)]}


def horizon(recipe, steps):
    return recipe.override({"decoder.horizon": steps})


def test_loss_is_the_squared_error_in_units_of_the_scale(recipe):
    y = {
        "targets": np.array([[10.0], [4.0]], np.float32),
        "weight": np.ones((2, 1), np.float32),
        "scale": np.array([[2.0], [1.0]], np.float32),
    }
    outputs = {"forecast": np.array([[4.0], [4.0]], np.float32)}
    np.testing.assert_allclose(recipe.task.loss(y, outputs), [9.0, 0.0])
    absolute = recipe.override({"task.monitor": "smape"}).task
    np.testing.assert_allclose(absolute.loss(y, outputs), [3.0, 0.0])
    y["weight"][0] = 0
    np.testing.assert_allclose(absolute.loss(y, outputs), [0.0, 0.0])


def test_one_step_ahead(recipe):
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), [SERIES])
    outputs, references = [1, 2, 4, 8, 12], [1, 2, 4, 6, 8]
    assert [row["output"] for row in evaluation.rows] == outputs
    assert [row["reference"] for row in evaluation.rows] == references
    assert evaluation.rows[3] == {"id": "series", "step": 4, "reference": 6.0, "output": 8.0}
    expected = np.mean(np.subtract(outputs, references) ** 2) / np.var(references)
    assert evaluation.metrics == {"nmse": pytest.approx(expected)}
    assert evaluation.num_examples == 5
    assert evaluation.report == ["horizon 1, 5 forecasts, root mean squared error 2"]


def test_forecasts_of_the_horizon_start_from_true_values(recipe):
    evaluation = recipe.task.evaluate(horizon(recipe, 2).predictor(GRAPHS), [SERIES])
    # The forecasts start from the true values 0.5, 2 and 6. The last one ends with the series.
    assert [row["output"] for row in evaluation.rows] == [1, 2, 4, 8, 12]
    evaluation = recipe.task.evaluate(horizon(recipe, 3).predictor(GRAPHS), [SERIES])
    assert [row["output"] for row in evaluation.rows] == [1, 2, 4, 8, 16]
    evaluation = recipe.task.evaluate(horizon(recipe, 5).predictor(GRAPHS), [SERIES])
    assert [row["output"] for row in evaluation.rows] == [1, 2, 4, 8, 16]


def test_metrics_of_several_series(recipe):
    more = Segment("more", (5.0, 6.0, 7.0))
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), [SERIES, more])
    assert evaluation.rows[-1] == {"id": "more", "step": 3, "reference": 7.0, "output": 12.0}
    errors = [0, 0, 0, 2, 4, 5]
    expected = np.mean(np.square(errors)) / np.var([1, 2, 4, 6, 8, 7])
    assert evaluation.metrics["nmse"] == pytest.approx(expected)


def test_missing_targets_are_left_out(recipe):
    holes = Segment("holes", (1.0, np.nan, 4.0), history=(0.0, 0.5))
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), [holes])
    # A missing input is replaced by the value before it, 1.
    assert [(row["step"], row["output"]) for row in evaluation.rows] == [(1, 1.0), (3, 2.0)]


def test_smape(recipe):
    recipe = recipe.override({"task.monitor": "smape"})
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), [SERIES])
    # Forecasts 1, 2, 4, 8, 12 of the targets 1, 2, 4, 6, 8.
    assert evaluation.metrics == {"smape": pytest.approx((2 / 7 + 4 / 10) / 5)}
    zeros = Segment("zeros", (0.0, 0.0, 2.0), (0.0, 0.0))
    assert recipe.task.evaluate(recipe.predictor(GRAPHS), [zeros]).metrics[
        "smape"
    ] == pytest.approx(2 / 3)


def test_nmse_needs_targets_that_differ(recipe):
    with pytest.raises(
        ZooError, match=r"The targets must not all be equal. Received: 2 targets, all 3"
    ):
        recipe.task.evaluate(recipe.predictor(GRAPHS), [Segment("flat", (3.0, 3.0), (1.0, 2.0))])


def test_forecasts_are_iterated(recipe):
    item = item_of(3.0, 1.5)
    answer = recipe.task.answer(horizon(recipe, 4).predictor(GRAPHS), item)
    assert answer == {"output": "3 6 12 24", "forecast": [3.0, 6.0, 12.0, 24.0]}


def test_a_forecast_that_diverges_is_refused(recipe):
    item = item_of(1.0, 2.0)
    with (
        np.errstate(over="ignore"),
        pytest.raises(ZooError, match="The forecast diverged: step 127 is NaN or infinite"),
    ):
        recipe.task.answer(horizon(recipe, 200).predictor(GRAPHS), item)


def test_intervals_are_quantiles_of_errors():
    errors = np.stack([np.arange(1.0, 20), -np.arange(19.0, 0, -1)], axis=1)
    errors[0, 1] = np.nan
    intervals = Intervals.of(errors)
    # The width is the error with the number 20 * level of 19. At 0.95, 18 errors are too few.
    np.testing.assert_array_equal(intervals.half_widths(0.5, 2), [10, 10])
    np.testing.assert_array_equal(intervals.half_widths(0.9, 2), [18, 18])
    np.testing.assert_array_equal(intervals.half_widths(0.95, 1), [19])
    with pytest.raises(
        ZooError, match=r"horizon must be at most 1 with an interval of 0.95.* Received: 2"
    ):
        intervals.half_widths(0.95, 2)


def test_intervals_are_restored_from_their_file(tmp_path):
    path = tmp_path / "intervals.json"
    intervals = Intervals.of(np.arange(20.0)[:, None])
    path.write_text(intervals.to_text())
    assert Intervals.from_text(path.read_text(), path) == intervals
    for text in ("[]", '{"0.5": [1]}', '{"0.5": [-1], "0.8": [1], "0.9": [1], "0.95": [1]}'):
        path.write_text(text)
        with pytest.raises(ZooError, match="is corrupt: it must have a list of widths"):
            Intervals.from_text(text, path)


def test_intervals(recipe):
    """The half widths are 1 times the scale, 3. The last error, 4, is outside."""
    intervals = Intervals(((1.0,) * 2,) * 4)
    data = replace(recipe.data, intervals=intervals)
    model = replace(recipe.model, mean=0.0, deviation=3.0)
    recipe = replace(recipe, data=data, model=model).override({"decoder.interval": 0.9})
    evaluation = recipe.task.evaluate(recipe.predictor(GRAPHS), [SERIES])
    assert (evaluation.rows[4]["low"], evaluation.rows[4]["high"]) == (9.0, 15.0)
    assert evaluation.report[1] == ("intervals of 0.9: 0.8000 of the targets inside, mean width 6")
    item = item_of(3.0, 1.5)
    answer = recipe.task.answer(horizon(recipe, 2).predictor(GRAPHS), item)
    assert answer["steps"][1] == {"step": 2, "forecast": 6.0, "low": 3.0, "high": 9.0}
    with pytest.raises(ZooError, match=r"horizon must be at most 2 with an interval of 0\.9"):
        recipe.task.answer(horizon(recipe, 3).predictor(GRAPHS), item)
    bare = replace(recipe, data=replace(data, intervals=Intervals()))
    with pytest.raises(ZooError, match="has no intervals"):
        recipe.task.answer(bare.predictor(GRAPHS), item)


def test_series_are_plotted(recipe, tmp_path):
    evaluation = recipe.task.evaluate(
        recipe.predictor(GRAPHS), [SERIES, Segment("more", (5.0, 6.0, 7.0))]
    )
    (path,) = recipe.task.plot_evaluation(recipe.predictor(GRAPHS), evaluation, tmp_path)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_the_graph_gives_the_same_answer(recipe):
    series = np.array([[3.0, 1.0], [1.0, 5.0]], np.float32)
    recipe = horizon(recipe, 3).adapt([SERIES])
    keras.utils.set_random_seed(0)
    model = recipe.model.build()
    functional = recipe.predictor(Graphs("graph", {"model": model}))
    in_graph = tf.function(recipe.task.answer_in_graph(functional))({"series": series})
    graphs = Graphs("keras", {"model": keras_function(model)})
    for row, forecast in zip(series, in_graph["forecast"].numpy(), strict=True):
        answer = recipe.task.answer(recipe.predictor(graphs), item_of(*row.tolist()))
        np.testing.assert_allclose(forecast, answer["forecast"], rtol=1e-5)


def test_an_invalid_request_is_refused(recipe):
    recipe = horizon(recipe, 3).adapt([SERIES])
    functional = recipe.predictor(Graphs("graph", {"model": recipe.model.build()}))
    signature = recipe.task.signatures(functional)["serving_default"]
    for series, message in (
        (np.ones((1, 1)), "series must have at least 2 time steps"),
        (np.full((1, 2), np.nan), "must be finite numbers"),
        (np.ones((0, 2)), "must have at least one row"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            signature.function(tf.constant(series, tf.float32))
    # A longer series is cut to its last values.
    longer, last = tf.constant([[9.0, 3.0, 1.0]]), tf.constant([[3.0, 1.0]])
    found, expected = (signature.function(each)["forecast"] for each in (longer, last))
    np.testing.assert_array_equal(found, expected)
    # Covariates must reach to the end of the last call of the model.
    data = replace(recipe.data, covariates=("load",))
    model = replace(recipe.model, covariate_means=(0.0,), covariate_deviations=(1.0,))
    to_inputs = data.raw_inputs(model, recipe.decoder)["serving_default"]
    series = tf.ones((1, 2))
    assert to_inputs.to_inputs(series, tf.ones((1, 5, 1)))["covariates"].shape == (1, 5, 1)
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least 3 more time steps"):
        to_inputs.to_inputs(series, tf.ones((1, 4, 1)))
    steps = tf.reshape(tf.range(7.0), (1, 7, 1))
    cut = to_inputs.to_inputs(tf.ones((1, 4)), steps)["covariates"]
    np.testing.assert_array_equal(cut[0, :, 0], [2, 3, 4, 5, 6])


def test_rows_of_a_request_must_agree():
    with pytest.raises(tf.errors.InvalidArgumentError, match="the same number of rows"):
        checked_batch([tf.zeros((2, 5)), tf.zeros((1,), tf.int32)])
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be finite numbers"):
        checked_batch([tf.zeros((1, 5)), tf.constant([np.inf])])
