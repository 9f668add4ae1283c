"""A feed-forward time-delay network: convolutions over a window of past values.

Waibel, Hanazawa, Hinton, Shikano & Lang, "Phoneme recognition using time-delay neural networks" (1989);
Wan, "Time series prediction by using a connectionist network with internal delay lines" (1994), who won
the Santa Fe competition on this laser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.decoding.decoders import Forecast
from zoo.common.tasks.forecasting import Forecasting
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.timeseries.forecasting.corpora.laser import LASER
from zoo.timeseries.forecasting.data import Series
from zoo.timeseries.forecasting.forecaster import (
    NetworkForecaster,
    build_forecaster,
    past_steps,
    with_future,
)

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class TDNNForecaster(NetworkForecaster):
    """Arguments of the model, in addition to those of `NetworkForecaster`.

    Args:
        channels: number of units of each hidden layer.
        kernel_sizes: number of steps of the layer below that a unit of each hidden layer reads. One
            layer that reads the whole context is a feed-forward network with one hidden layer.
    """

    channels: tuple[int, ...] = (12, 12)
    kernel_sizes: tuple[int, ...] = (25, 5)

    def __post_init__(self):
        super().__post_init__()
        for name in ("channels", "kernel_sizes"):
            for value in getattr(self, name):
                check_range(f"model.{name}", value, at_least=1)
        if len(self.kernel_sizes) != len(self.channels):
            raise ZooError(
                "model.kernel_sizes must have as many numbers as model.channels. "
                f"Received: {self.kernel_sizes} for {self.channels}."
            )
        least = sum(self.kernel_sizes) - len(self.kernel_sizes) + 1
        check_range("model.context with these kernel sizes", self.context, at_least=least)

    def build(self) -> keras.Model:
        return build_tdnn_forecaster(self)


# Functional model ---------------------------------------------------------------------------------


def build_tdnn_forecaster(config: TDNNForecaster) -> keras.Model:
    """Return the functional model. See `zoo.timeseries.forecasting.forecaster.build_forecaster`.

    h_0[t]    = the scaled value of step t
    h_i[t]    = tanh(W_i h_{i-1}[t - k_i + 1 .. t] + b_i), for t with all k_i steps in the window
    forecast  = W [h_n at all steps] + b
    """
    from keras import layers

    def network(x, covariates):
        x = past_steps(config, x, covariates)
        for i, (units, width) in enumerate(zip(config.channels, config.kernel_sizes, strict=True)):
            x = layers.Conv1D(units, width, activation="tanh", name=f"hidden{i}")(x)
        x = with_future(config, layers.Flatten(name="taps")(x), covariates)
        return layers.Dense(config.steps, dtype="float32", name="output")(x)

    return build_forecaster(config, network, "tdnn_forecaster")


# Recipes ------------------------------------------------------------------------------------------


@register(
    "timeseries/tdnn-laser", paper="Waibel et al. 1989; Wan 1994", corpus=LASER, metric="nmse"
)
def tdnn_laser(name: str) -> Recipe:
    """A feed-forward time-delay network forecasts a chaotic laser.

    It compares a network without a state with the recurrent networks. Wan's network for this laser, with
    delay lines of 25, 5 and 5 steps, was of this kind.

    It reads twelve steps only. The training data has three collapses, so forecasts there are less
    certain. Forecasts of many steps were not measured.
    """
    return Recipe(
        name,
        data=Series(),
        model=TDNNForecaster(context=12, channels=(64, 32), kernel_sizes=(8, 3)),
        task=Forecasting(),
        # As in the recurrent recipes, the dev part has no collapse: all epochs are run.
        training=GradientDescent(epochs=150, batch_size=8, patience=150),
        optimizer=AdamW(learning_rate=3e-3, warmup_epochs=3),
        decoder=Forecast(),
    )
