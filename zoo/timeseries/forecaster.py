"""What the forecasters of one series share: raw values in and out, the scaling between them fixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.common.core.errors import ZooError, check_range
from zoo.common.runtime.keras_model import KerasModel

if TYPE_CHECKING:
    import keras


@dataclass(frozen=True)
class Forecaster(KerasModel):
    """Arguments of every forecaster.

    context: int. Past values that a forecast is made from.
    mean, deviation: float. Of the values learnt from, which `Series.adapt` sets: the network within
        reads and gives values less their mean, as multiples of the standard deviation.
    """

    context: int = 32
    mean: float | None = None
    deviation: float | None = None

    def __post_init__(self):
        check_range("model.context", self.context, at_least=1, at_most=100_000)
        if self.deviation is not None:
            check_range("model.deviation", self.deviation, above=0)


def build_forecaster(config: Forecaster, network: Callable[[Any], Any], name: str) -> keras.Model:
    """Return the functional model around a network of scaled values.

    Input: `series` float32 [batch, context], values as they are, the latest one last.
    Output: `forecast` float32 [batch, 1], the next value, in the same units.

    Args:
        network: of float32 [batch, context], scaled, to float32 [batch, 1].
        name: the model's.

    Raises:
        ZooError: the config has no scaling yet.
    """
    import keras
    from keras import layers

    if config.mean is None or config.deviation is None:
        raise ZooError("model.mean and model.deviation must be set: adapt the recipe to its data.")
    mean, deviation = config.mean, config.deviation
    series = keras.Input((config.context,), name="series")
    # In float32 whatever the precision: a raw value may need more digits than half of it has.
    scale = layers.Rescaling(1 / deviation, -mean / deviation, dtype="float32", name="scale")
    unscale = layers.Rescaling(deviation, mean, dtype="float32", name="forecast")
    forecast = unscale(network(scale(series)))
    return keras.Model({"series": series}, {"forecast": forecast}, name=name)
