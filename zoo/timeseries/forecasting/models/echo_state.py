"""An echo state network: a fixed random recurrent layer, and a linear layer trained by least squares.

Jaeger, "The echo state approach to analysing and training recurrent neural networks" (2001).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.decoding.decoders import Forecast
from zoo.common.runtime.keras_model import LinearModel
from zoo.common.tasks.forecasting import Forecasting
from zoo.common.training.trainers import LeastSquares
from zoo.timeseries.forecasting.corpora.laser import LASER
from zoo.timeseries.forecasting.corpora.sunspots import SUNSPOTS
from zoo.timeseries.forecasting.data import Series
from zoo.timeseries.forecasting.forecaster import (
    Forecaster,
    build_forecaster,
    past_steps,
    with_future,
)

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class EchoStateForecaster(Forecaster, LinearModel):
    """Arguments of the model, in addition to those of `Forecaster`.

    Args:
        hidden_size: number of units of the reservoir.
        spectral_radius: largest absolute eigenvalue of its recurrent matrix. A context of n steps leaves
            about spectral_radius^n of an earlier state.
        leak: share of the state that is new in a step.
        input_scale: largest absolute value of its input weights and biases.
        seed: seed of its weights.
    """

    hidden_size: int = 400
    spectral_radius: float = 0.9
    leak: float = 1.0
    input_scale: float = 1.0
    seed: int = 0

    def __post_init__(self):
        super().__post_init__()
        check_range("model.hidden_size", self.hidden_size, at_least=1, at_most=10_000)
        check_range("model.spectral_radius", self.spectral_radius, above=0)
        check_range("model.leak", self.leak, above=0, at_most=1)
        check_range("model.input_scale", self.input_scale, above=0)
        check_range("model.seed", self.seed, at_least=0)

    def build(self) -> keras.Model:
        return build_echo_state_network(self)

    def linear_layer(self, model: keras.Model) -> keras.layers.Dense:
        return model.get_layer("readout")

    def linear_targets(self, y: dict[str, np.ndarray]) -> np.ndarray:
        """Return the scaled targets of a batch, float64 [batch, 1]."""
        mean, deviation = self.scales()
        return (y["targets"].astype("float64") - mean) / deviation


# Functional model ---------------------------------------------------------------------------------


def build_echo_state_network(config: EchoStateForecaster) -> keras.Model:
    """Return the functional model. See `zoo.timeseries.forecasting.forecaster.build_forecaster`.

    forecast = W [state after the last value; covariates of the next time] + b
    """
    from keras import layers

    from zoo.common.layers import recurrent

    reservoir = recurrent.EchoState(
        config.hidden_size,
        spectral_radius=config.spectral_radius,
        leak=config.leak,
        input_scale=config.input_scale,
        seed=config.seed,
        name="reservoir",
    )
    readout = layers.Dense(1, dtype="float32", name="readout")

    def network(x, covariates):
        state = reservoir(past_steps(config, x, covariates))
        return readout(with_future(config, state, covariates))

    return build_forecaster(config, network, "echo_state_network")


# Recipes ------------------------------------------------------------------------------------------


@register("timeseries/esn-laser", paper="Jaeger 2001", corpus=LASER, metric="nmse")
def esn_laser(name: str) -> Recipe:
    """An echo state network of 400 units forecasts a chaotic laser, one value from those before it.

    Its recurrent layer is random and is not trained; a linear layer is fitted to its states by least
    squares, in seconds. It forecasts the collapses of the oscillation, which a linear model of the past
    values does not. Compare `timeseries/ar-laser` and the trained recurrent layers.

    The training data has three collapses, so forecasts there are less certain. Another seed draws
    another reservoir, with other errors. Forecasts of many steps were not measured.
    """
    return Recipe(
        name,
        data=Series(),
        # Chosen by the mean error on nine parts of train of 100 values that were held out in turn.
        model=EchoStateForecaster(
            context=32, hidden_size=400, spectral_radius=0.6, input_scale=0.5
        ),
        task=Forecasting(),
        training=LeastSquares(ridge=1e-4),
        decoder=Forecast(),
    )


@register("timeseries/esn-sunspots", paper="Jaeger 2001", corpus=SUNSPOTS, metric="nmse")
def esn_sunspots(name: str) -> Recipe:
    """An echo state network forecasts the yearly number of sunspots, one year ahead.

    It is trained on 1700-1920 by least squares. Compare `timeseries/ar-sunspots` and
    `timeseries/lstm-sunspots`.

    Its weights are fitted to 221 values only. It was measured one year ahead only, on the 24 years from
    1956 to 1979.
    """
    return Recipe(
        name,
        data=Series(),
        # Chosen by the mean error on parts of train that were held out in turn.
        model=EchoStateForecaster(
            context=24, hidden_size=50, spectral_radius=0.6, leak=0.7, input_scale=0.5
        ),
        task=Forecasting(),
        training=LeastSquares(ridge=1e-2),
        decoder=Forecast(),
    )
