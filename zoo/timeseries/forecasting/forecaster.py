"""What forecasters share: raw values in and out, the scaling between them, what is known beside them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.runtime.keras_model import KerasModel

if TYPE_CHECKING:
    import keras

# What values are scaled by: mean and deviation of all the values learnt from, or of the window that a
# forecast is made from.
TRAIN, WINDOW = "train", "window"
# A window's deviation counts as at least this share of that of all values: a flat one has none.
LEAST_DEVIATION = 1e-2


@dataclass(frozen=True)
class Forecaster(KerasModel):
    """Arguments of every forecaster.

    context: int. Past values that a forecast is made from.
    mean, deviation: float. Of the values learnt from, which `Series.adapt` sets: the network within
        reads and gives values less their mean, as multiples of the standard deviation.
    covariate_means, covariate_deviations: tuple of float. Of each covariate, set by `Series.adapt`.
    """

    # Values that are forecast at once; a longer forecast is iterated.
    steps: ClassVar[int] = 1
    scaling: ClassVar[str] = TRAIN

    context: int = 32
    mean: float | None = None
    deviation: float | None = None
    covariate_means: tuple[float, ...] = ()
    covariate_deviations: tuple[float, ...] = ()

    def __post_init__(self):
        if self.context is not None:
            check_range("model.context", self.context, at_least=1, at_most=100_000)
        for deviation in (self.deviation, *self.covariate_deviations):
            if deviation is not None:
                check_range("model.deviation", deviation, above=0)

    def with_order(self, series: list[np.ndarray]) -> Forecaster:
        """Return the config with what it takes from the values learnt from beside their scale.

        Args:
            series: float64 [values] of each, without missing values.
        """
        return self

    def scale(self, series: np.ndarray) -> np.ndarray:
        """Return the unit that errors of forecasts from windows [batch, context] are measured in,
        float32 [batch, 1]."""
        if self.scaling == TRAIN:
            return np.full((len(series), 1), self.deviation, np.float32)
        least = LEAST_DEVIATION * self.deviation
        variance = series.astype(np.float64).var(axis=1, keepdims=True)
        return np.sqrt(variance + least**2).astype(np.float32)


@dataclass(frozen=True)
class NetworkForecaster(Forecaster):
    """Arguments of every forecaster that is a network, beside those of `Forecaster`.

    steps: int. Values that are forecast at once: with 1 a longer forecast is iterated, each value read
        as if it had been observed; with as many as are wanted, it is direct.
    scaling: str. "train": by mean and deviation of the values learnt from; "window": by those of each
        window, for many series of different sizes.
    """

    steps: int = 1
    scaling: str = TRAIN

    def __post_init__(self):
        super().__post_init__()
        check_range("model.steps", self.steps, at_least=1, at_most=10_000)
        check_choice("model.scaling", self.scaling, (TRAIN, WINDOW))


def build_forecaster(config: Forecaster, network: Callable[..., Any], name: str) -> keras.Model:
    """Return the functional model around a network of scaled values.

    Inputs: `series` float32 [batch, context], values as they are, the latest one last; and, where the
    config has covariates, `covariates` float32 [batch, context + steps, covariates], of the same times
    and of those to be forecast.
    Output: `forecast` float32 [batch, steps], the next values, in the same units.

    Args:
        network: of `x` float32 [batch, context] and `known` float32 [batch, context + steps,
            covariates] or None, both scaled, to float32 [batch, steps], scaled.
        name: the model's.

    Raises:
        ZooError: the config has no scaling yet.
    """
    import keras
    from keras import layers, ops

    if config.context is None or config.mean is None or config.deviation is None:
        raise ZooError("model.mean and model.deviation must be set: adapt the recipe to its data.")
    series = keras.Input((config.context,), name="series")
    inputs, known = {"series": series}, None
    if config.covariate_means:
        shape = (config.context + config.steps, len(config.covariate_means))
        inputs["covariates"] = keras.Input(shape, name="covariates")
        means, deviations = (
            np.array(x) for x in (config.covariate_means, config.covariate_deviations)
        )
        scale = layers.Rescaling(
            (1 / deviations).tolist(), (-means / deviations).tolist(), name="scale_covariates"
        )
        known = scale(inputs["covariates"])
    # In float32 whatever the precision: a raw value may need more digits than half of it has.
    if config.scaling == TRAIN:
        mean, deviation = config.mean, config.deviation
        scale = layers.Rescaling(1 / deviation, -mean / deviation, dtype="float32", name="scale")
        unscale = layers.Rescaling(deviation, mean, dtype="float32", name="forecast")
        forecast = unscale(network(scale(series), known))
    else:
        mean = ops.mean(series, axis=1, keepdims=True)
        variance = ops.mean(ops.square(series - mean), axis=1, keepdims=True)
        deviation = ops.sqrt(variance + (LEAST_DEVIATION * config.deviation) ** 2)
        scaled = network((series - mean) / deviation, known)
        # The mean stands first: as the second term of a sum Keras 3.15 takes [batch, 1] for a bias where
        # the batch happens to have as many rows as there are steps.
        unscaled = mean + scaled * deviation
        forecast = layers.Identity(dtype="float32", name="forecast")(unscaled)
    return keras.Model(inputs, {"forecast": forecast}, name=name)


def past_steps(config: Forecaster, x: Any, known: Any) -> Any:
    """Return float32 [batch, context, 1 + covariates]: each value with what is known of its time."""
    from keras import layers

    values = layers.Reshape((config.context, 1), name="steps")(x)
    if known is None:
        return values
    past = known[:, : config.context]
    return layers.Concatenate(name="past")([values, past])


def with_future(config: Forecaster, features: Any, known: Any) -> Any:
    """Return features [batch, units] beside all that is known of the times to be forecast."""
    from keras import layers

    if known is None:
        return features
    future = layers.Flatten(name="future")(known[:, config.context :])
    return layers.Concatenate(name="features")([features, future])
