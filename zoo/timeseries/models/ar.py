"""Linear autoregression: the next value as a weighted sum of those before it.

Yule, "On a method of investigating periodicities in disturbed series" (1927).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.decoding.decoders import Forecast
from zoo.common.tasks.forecasting import Forecasting
from zoo.common.training.trainers import LeastSquares
from zoo.timeseries.corpora.laser import LASER
from zoo.timeseries.forecaster import Forecaster, build_forecaster
from zoo.timeseries.series import Series

if TYPE_CHECKING:
    import keras
    import numpy as np

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Autoregression(Forecaster):
    """Arguments of the model: see `Forecaster`; `context` is the order of the autoregression."""

    def build(self) -> keras.Model:
        """See `build_ar`."""
        return build_ar(self)

    def linear_layer(self, model: keras.Model) -> keras.layers.Dense:
        """The layer that least squares solves: see `zoo.common.training.least_squares`."""
        return model.get_layer("autoregression")

    def linear_targets(self, y: dict[str, np.ndarray]) -> np.ndarray:
        """What that layer has to give for the y of a batch, [batch, 1]: the targets, scaled."""
        return (y["targets"].astype("float64") - self.mean) / self.deviation


# Functional model ---------------------------------------------------------------------------------


def build_ar(config: Autoregression) -> keras.Model:
    """Return the functional model: see `zoo.timeseries.forecaster.build_forecaster`."""
    from keras import layers

    weights = layers.Dense(1, dtype="float32", name="autoregression")
    return build_forecaster(config, weights, "ar")


# Recipes ------------------------------------------------------------------------------------------


@register("timeseries/ar-laser", paper="Yule 1927", corpus=LASER, metric="nmse")
def ar_laser(name: str) -> Recipe:
    """A linear autoregression, by least squares, forecasts a chaotic laser.

    The yardstick for the recurrent model: it follows the laser's oscillation, and fails where that
    collapses, as any linear model must. It is trained in a second; give it your own series, a CSV with
    a column `value`, to see what is linear in it.
    """
    return Recipe(
        name,
        data=Series(),
        # The order with the least error on stretches held out of train around each collapse.
        model=Autoregression(context=16),
        task=Forecasting(),
        training=LeastSquares(),
        decoder=Forecast(),
    )
