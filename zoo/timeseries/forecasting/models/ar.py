"""Linear autoregression: the next value as a weighted sum of those before it.

Yule, "On a method of investigating periodicities in disturbed series" (1927).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.decoding.decoders import Forecast
from zoo.common.tasks.forecasting import Forecasting
from zoo.common.training.trainers import LeastSquares
from zoo.timeseries.forecasting.corpora.laser import LASER
from zoo.timeseries.forecasting.corpora.sunspots import SUNSPOTS
from zoo.timeseries.forecasting.data import Series
from zoo.timeseries.forecasting.forecaster import Forecaster, build_forecaster, with_future

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Autoregression(Forecaster):
    """Arguments of the model: see `Forecaster`.

    context: int. The order of the autoregression; None for that of the least AIC, see `select_order`.
    """

    context: int | None = 32

    def with_order(self, series: list[np.ndarray]) -> Autoregression:
        """See `Forecaster.with_order`."""
        return self if self.context else replace(self, context=select_order(series))

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
    """Return the functional model: see `zoo.timeseries.forecasting.forecaster.build_forecaster`."""
    from keras import layers

    weights = layers.Dense(1, dtype="float32", name="autoregression")

    def network(x, known):
        return weights(with_future(config, x, known))

    return build_forecaster(config, network, "ar")


# Order --------------------------------------------------------------------------------------------


def select_order(series: list[np.ndarray]) -> int:
    """Return the order from 1 up whose autoregression has the least AIC (Akaike 1974).

    All orders are fitted to the same targets, those after the largest order's window: 12 (n / 100)^(1/4)
    of n values (Schwert 1989), and less where there are not three targets for each weight.

    Args:
        series: float64 [values] of each, without missing values.
    """
    longest = max(map(len, series))
    largest = max(1, min(round(12 * (longest / 100) ** 0.25), (longest - 4) // 4))
    windows = np.concatenate(
        [
            np.lib.stride_tricks.sliding_window_view(values, largest + 1)
            for values in series
            if len(values) > largest
        ]
    )
    mean, deviation = windows.mean(), windows.std()
    rows = (windows - mean) / (deviation or 1)
    targets, count = rows[:, -1], len(rows)

    def aic(order: int) -> float:
        inputs = np.column_stack([np.ones(count), rows[:, largest - order : largest]])
        residuals = targets - inputs @ np.linalg.lstsq(inputs, targets, rcond=None)[0]
        variance = max(float(np.mean(residuals**2)), np.finfo(float).tiny)
        return count * math.log(variance) + 2 * (order + 1)

    return min(range(1, largest + 1), key=aic)


# Recipes ------------------------------------------------------------------------------------------


@register("timeseries/ar-laser", paper="Yule 1927", corpus=LASER, metric="nmse")
def ar_laser(name: str) -> Recipe:
    """A linear autoregression, by least squares, forecasts a chaotic laser.

    The yardstick for the networks: it follows the laser's oscillation, and fails where that
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


@register("timeseries/ar-sunspots", paper="Yule 1927", corpus=SUNSPOTS, metric="nmse")
def ar_sunspots(name: str) -> Recipe:
    """A linear autoregression forecasts the yearly number of sunspots, one year ahead.

    The series that autoregression was invented for. The order is the one with the least AIC on
    1700-1920; `--set model.context=2` gives Yule's own.
    """
    return Recipe(
        name,
        data=Series(),
        model=Autoregression(context=None),
        task=Forecasting(),
        training=LeastSquares(),
        decoder=Forecast(),
    )
