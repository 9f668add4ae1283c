"""Forecasting models: their common arguments, the scaling of values, and the use of covariates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.runtime.keras_model import KerasModel

if TYPE_CHECKING:
    import keras

# The mean and deviation that scale values: those of the training values, or those of each window.
TRAIN, WINDOW = "train", "window"
# Transforms of values before the network; the forecast is transformed back.
IDENTITY, SQUARE_ROOT = "identity", "square_root"
# The deviation of a window is at least this share of that of the training values. A constant window
# has a deviation of 0.
MIN_DEVIATION = 1e-2
# A window with a deviation below this share is divided before the graph, so that the minimum has no
# effect on its scaled values.
SMALL_DEVIATION = 10 * MIN_DEVIATION
# A mean of at least this number of deviations is subtracted in float64: float32 has seven digits, and
# fewer than four of them would be left for the deviations.
LARGE_MEAN = 1000


@dataclass(frozen=True)
class Forecaster(KerasModel):
    """Arguments of every forecasting model.

    Args:
        context: number of past values in a window.
        mean: mean of the training values, which `Series.adapt` sets. The network reads and returns
            values minus the mean, divided by the deviation.
        deviation: standard deviation of the training values, which `Series.adapt` sets.
        covariate_means: mean of each covariate, which `Series.adapt` sets.
        covariate_deviations: standard deviation of each covariate, which `Series.adapt` sets.
        offset: value that is subtracted in float64 from the values before the graph, and added after it.
            `Series.adapt` sets it to `mean` if `mean` has many deviations. With the scaling "window",
            the mean of each window takes its place.
        covariate_offsets: the same for each covariate; empty for 0.
    """

    context: int = 32
    mean: float | None = None
    deviation: float | None = None
    covariate_means: tuple[float, ...] = ()
    covariate_deviations: tuple[float, ...] = ()
    offset: float = 0.0
    covariate_offsets: tuple[float, ...] = ()

    @property
    def steps(self) -> int:
        """Number of values that one call forecasts. A longer forecast is iterated."""
        return 1

    @property
    def scaling(self) -> str:
        """`TRAIN` or `WINDOW`."""
        return TRAIN

    @property
    def transform(self) -> str:
        """`IDENTITY` or `SQUARE_ROOT`."""
        return IDENTITY

    def __post_init__(self):
        if self.context is not None:
            check_range("model.context", self.context, at_least=1, at_most=100_000)
        for deviation in (self.deviation, *self.covariate_deviations):
            if deviation is not None:
                check_range("model.deviation", deviation, above=0)

    def with_order(self, series: list[np.ndarray]) -> Forecaster:
        """Return the config with an order that is selected on the training values.

        Args:
            series: float64 [values] of each series, without missing values.
        """
        return self

    def scale(self, series: np.ndarray) -> np.ndarray:
        """Return the unit of forecast errors, float32 [batch, 1].

        Args:
            series: float [batch, context].

        Raises:
            ZooError: the config has no scaling yet.
        """
        series = series.astype(np.float64)
        unit = self.unit(series)
        return (unit * self.graph_scale(series / unit)).astype(np.float32)

    def graph_scale(self, series: np.ndarray) -> np.ndarray:
        """Return the deviation by which the graph divides each window, float64 [batch, 1].

        Args:
            series: float [batch, context].

        Raises:
            ZooError: the config has no scaling yet.
        """
        deviation = self.scales()[1]
        if self.scaling == TRAIN:
            return np.full((len(series), 1), deviation)
        variance = series.astype(np.float64).var(axis=1, keepdims=True)
        return np.sqrt(variance + (MIN_DEVIATION * deviation) ** 2)

    def unit(self, series: Any, xp: Any = np) -> Any:
        """Return the number that divides each window before the graph, and multiplies its forecast.

        It is 1, except for a window that the graph would scale by the minimum of the deviation. Such a
        series is in other units than those of training.

        Args:
            series: float [batch, context].
            xp: array namespace: `numpy`, or `keras.ops` inside a graph.

        Returns:
            Float [batch, 1].
        """
        if self.scaling == TRAIN:
            return xp.ones_like(series[:, :1])
        deviation, usual = xp.std(series, axis=1, keepdims=True), self.scales()[1]
        small = (deviation > 0) & (deviation < SMALL_DEVIATION * usual)
        return xp.where(small, deviation / usual, xp.ones_like(deviation))

    def offsets(self, series: np.ndarray) -> np.ndarray:
        """Return the value to subtract from each window before the graph, float64 [batch, 1].

        Args:
            series: float64 [batch, context].
        """
        if self.scaling == TRAIN:
            return np.full((len(series), 1), self.offset)
        return offset(series.mean(axis=1, keepdims=True), self.scale(series))

    def scales(self) -> tuple[float, float]:
        """Return the mean, minus `offset`, and the deviation of the training values.

        Raises:
            ZooError: the config has no scaling yet.
        """
        if self.mean is None or self.deviation is None:
            raise ZooError(
                "model.mean and model.deviation must be set: adapt the recipe to its data."
            )
        return self.mean - self.offset, self.deviation


def offset(mean: Any, deviation: Any) -> np.ndarray:
    """Return each mean that has at least `LARGE_MEAN` deviations, and 0 for the others."""
    return np.where(np.abs(mean) >= LARGE_MEAN * np.asarray(deviation), mean, 0.0)


@dataclass(frozen=True)
class NetworkForecaster(Forecaster):
    """Arguments of every forecasting network, in addition to those of `Forecaster`.

    Args:
        steps: number of values that one call forecasts. A longer forecast is iterated: forecast values
            replace observed ones. If `steps` is the horizon, the forecast is direct.
        scaling: "train" for the mean and deviation of the training values; "window" for those of each
            window, for many series of different sizes.
        transform: "identity", or "square_root" for counts, whose deviation grows with their size: with
            the scaling "train", the network reads and returns sqrt(value / deviation) - 1. Negative
            values are read as 0.
    """

    steps: int = 1
    scaling: str = TRAIN
    transform: str = IDENTITY

    def __post_init__(self):
        super().__post_init__()
        check_range("model.steps", self.steps, at_least=1, at_most=10_000)
        check_choice("model.scaling", self.scaling, (TRAIN, WINDOW))
        check_choice("model.transform", self.transform, (IDENTITY, SQUARE_ROOT))
        if self.transform == SQUARE_ROOT and (self.scaling != TRAIN or self.offset):
            raise ZooError(
                "model.transform=square_root needs model.scaling=train, and training values whose mean "
                f"has fewer than {LARGE_MEAN} deviations."
            )


def build_forecaster(config: Forecaster, network: Callable[..., Any], name: str) -> keras.Model:
    """Return the functional model around a network of scaled values.

    Args:
        config: arguments of the model.
        network: maps `x` float32 [batch, context] and `covariates` float32 [batch, context + steps,
            covariates] or None, both scaled, to the scaled forecast float32 [batch, steps].
        name: name of the model.

    Returns:
        A model with the input `series` float32 [batch, context], the past values with the latest one
        last. If the config has covariates, it has the input `covariates` float32 [batch, context +
        steps, covariates], of the past and the forecast times. Its output is `forecast` float32 [batch,
        steps], the next values in the units of the input. `config.offset` is subtracted from `series`
        and `forecast`, and `config.covariate_offsets` from `covariates`.

    Raises:
        ZooError: the config has no scaling yet.
    """
    import keras
    from keras import layers, ops

    train_mean, train_deviation = config.scales()
    series = keras.Input((config.context,), name="series")
    inputs, covariates = {"series": series}, None
    if config.covariate_means:
        shape = (config.context + config.steps, len(config.covariate_means))
        inputs["covariates"] = keras.Input(shape, name="covariates")
        deviations = np.array(config.covariate_deviations)
        means = np.array(config.covariate_means) - np.array(config.covariate_offsets or 0.0)
        scale = layers.Rescaling(
            (1 / deviations).tolist(), (-means / deviations).tolist(), name="scale_covariates"
        )
        covariates = scale(inputs["covariates"])
    # In float32 at any precision: half precision has too few digits for some raw values.
    if config.transform == SQUARE_ROOT:
        scale = layers.Rescaling(1 / train_deviation, dtype="float32", name="scale")
        unscale = layers.Rescaling(train_deviation, dtype="float32", name="forecast")
        roots = ops.sqrt(ops.relu(scale(series)))
        forecast = unscale(ops.square(ops.relu(1 + network(roots - 1, covariates))))
    elif config.scaling == TRAIN:
        scale = layers.Rescaling(
            1 / train_deviation, -train_mean / train_deviation, dtype="float32", name="scale"
        )
        unscale = layers.Rescaling(train_deviation, train_mean, dtype="float32", name="forecast")
        forecast = unscale(network(scale(series), covariates))
    else:
        mean = ops.mean(series, axis=1, keepdims=True)
        variance = ops.mean(ops.square(series - mean), axis=1, keepdims=True)
        deviation = ops.sqrt(variance + (MIN_DEVIATION * train_deviation) ** 2)
        scaled = network((series - mean) / deviation, covariates)
        # The mean is the first term: Keras 3.15 takes a second term [batch, 1] for a bias if the batch
        # has as many rows as there are steps.
        unscaled = mean + scaled * deviation
        forecast = layers.Identity(dtype="float32", name="forecast")(unscaled)
    return keras.Model(inputs, {"forecast": forecast}, name=name)


def past_steps(config: Forecaster, x: Any, covariates: Any) -> Any:
    """Return each past value with the covariates of its time.

    Args:
        config: arguments of the model.
        x: float32 [batch, context].
        covariates: float32 [batch, context + steps, covariates], or None.

    Returns:
        float32 [batch, context, 1 + covariates].
    """
    from keras import layers

    values = layers.Reshape((config.context, 1), name="steps")(x)
    if covariates is None:
        return values
    past = covariates[:, : config.context]
    return layers.Concatenate(name="past")([values, past])


def with_future(config: Forecaster, features: Any, covariates: Any) -> Any:
    """Return features joined with the covariates of the forecast times.

    Args:
        config: arguments of the model.
        features: float32 [batch, units].
        covariates: float32 [batch, context + steps, covariates], or None.

    Returns:
        float32 [batch, units + steps * covariates].
    """
    from keras import layers

    if covariates is None:
        return features
    future = layers.Flatten(name="future")(covariates[:, config.context :])
    return layers.Concatenate(name="features")([features, future])
