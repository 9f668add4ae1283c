"""Linear autoregression: the next value is a weighted sum of the values before it.

Yule, "On a method of investigating periodicities in disturbed series" (1927).
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import Published, register
from zoo.common.decoding.decoders import Forecast
from zoo.common.runtime.keras_model import LinearModel
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
class Autoregression(Forecaster, LinearModel):
    """Arguments of the model, in addition to those of `Forecaster`.

    Args:
        context: order of the autoregression; None to select it by AIC, see `select_order`.
    """

    context: int | None = 32  # type: ignore[assignment]  # None only before `adapt`

    def with_order(self, series: list[np.ndarray]) -> Autoregression:
        """Return the config with the order of the smallest AIC, if it has no order."""
        return self if self.context else replace(self, context=select_order(series))

    def build(self) -> keras.Model:
        return build_ar(self)

    def linear_layer(self, model: keras.Model) -> keras.layers.Dense:
        return model.get_layer("autoregression")

    def linear_targets(self, y: dict[str, np.ndarray]) -> np.ndarray:
        """Return the scaled targets of a batch, float64 [batch, 1]."""
        mean, deviation = self.scales()
        return (y["targets"].astype("float64") - mean) / deviation


# Functional model ---------------------------------------------------------------------------------


def build_ar(config: Autoregression) -> keras.Model:
    """Return the functional model. See `zoo.timeseries.forecasting.forecaster.build_forecaster`.

    forecast = W [series; covariates of the next time] + b
    """
    from keras import layers

    weights = layers.Dense(1, dtype="float32", name="autoregression")

    def network(x, covariates):
        return weights(with_future(config, x, covariates))

    return build_forecaster(config, network, "ar")


# Order --------------------------------------------------------------------------------------------


def select_order(series: list[np.ndarray]) -> int:
    """Return the order whose autoregression has the smallest AIC (Akaike 1974).

    All orders are fitted to the same targets: the values with enough values before them for the largest
    order. For n values, the largest order is 12 (n / 100)^(1/4) (Schwert 1989), or less, such that there
    are at least three targets per weight.

    Args:
        series: float64 [values] of each series, without missing values.
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
    """A linear autoregression, trained by least squares, forecasts a chaotic laser.

    It is the baseline of the networks. Its training takes a second. Train it on your own series, a CSV
    file with a column `value`, to measure how much of it is linear.

    It follows the oscillation of the laser, and fails where the oscillation collapses, as any linear
    model does.
    """
    return Recipe(
        name,
        data=Series(),
        # The order with the smallest error on parts of train around each collapse that were held out.
        model=Autoregression(context=16),
        task=Forecasting(),
        training=LeastSquares(),
        decoder=Forecast(),
    )


@register(
    "timeseries/ar-sunspots",
    paper="Yule 1927",
    corpus=SUNSPOTS,
    metric="nmse",
    published=Published("nmse", 0.141, "Tong & Lim 1980: 0.28 relative to 1535"),
)
def ar_sunspots(name: str) -> Recipe:
    """A linear autoregression forecasts the yearly number of sunspots, one year ahead.

    Autoregression was invented for this series. The order is the one with the smallest AIC on
    1700-1920; `--set model.context=2` selects Yule's order.

    It is linear. It was measured one year ahead only, on the 24 years from 1956 to 1979.
    """
    return Recipe(
        name,
        data=Series(),
        model=Autoregression(context=None),
        task=Forecasting(),
        training=LeastSquares(),
        decoder=Forecast(),
    )
