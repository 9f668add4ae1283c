"""Test the echo state network and the forecaster of recurrent blocks."""

import dataclasses

import numpy as np
import pytest

from tests.harness import check_model
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.training import trainers
from zoo.timeseries.forecasting.corpora.segment import Segment
from zoo.timeseries.forecasting.models.echo_state import EchoStateForecaster
from zoo.timeseries.forecasting.models.recurrent_blocks import BlockForecaster


def recipe_of(name, **settings):
    overrides = {f"model.{key}": value for key, value in settings.items()}
    return entry(name).recipe().override({**overrides, "training.batch_size": 8})


def test_the_readout_is_the_least_squares_solution(tmp_path):
    """The series is a function of the last two values, which a large enough reservoir approximates."""
    values = [0.3, 0.6]
    for _ in range(300):
        values.append(1 - 1.4 * values[-1] ** 2 + 0.3 * values[-2])  # Henon's map
    recipe = recipe_of("timeseries/esn-laser", hidden_size=60, context=12)
    recipe = dataclasses.replace(recipe, training=dataclasses.replace(recipe.training, ridge=1e-6))
    series = Segment("henon", tuple(values[:250]))
    recipe = recipe.adapt([series])
    dev = Segment("later", tuple(values[250:]), tuple(values[:250]), split="dev")
    (row,) = trainers.train(recipe, [series], [dev], tmp_path / "run")
    assert row["nmse"] < 1e-3
    assert row["loss"] == pytest.approx(row["nmse"], rel=3)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "size"), [("timeseries/lru-laser", {"layers": 1}), ("timeseries/esn-laser", {})]
)
def test_model_passes_the_harness(name, size, tmp_path):
    series = Segment("noise", tuple(np.random.default_rng(0).normal(size=30)))
    recipe = recipe_of(name, hidden_size=4, context=6, **size).adapt([series])
    check_model(recipe, [series], tmp_path)


def test_invalid_arguments():
    with pytest.raises(ZooError, match=r"model\.leak must be above 0 and at most 1\."):
        EchoStateForecaster(leak=0.0)
    with pytest.raises(ZooError, match=r"model\.spectral_radius must be above 0\."):
        EchoStateForecaster(spectral_radius=float("nan"))
    with pytest.raises(ZooError, match=r"model\.cell must be one of"):
        BlockForecaster(cell="Transformer")
