"""LSTM layers over a window of past values; the last output gives the next value.

Hochreiter & Schmidhuber, "Long short-term memory" (1997); Gers, Eck & Schmidhuber, "Applying LSTM to
time series predictable through time-window approaches" (2001), who forecast this laser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.decoding.decoders import Forecast
from zoo.common.tasks.forecasting import Forecasting
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.timeseries.corpora.laser import LASER
from zoo.timeseries.forecaster import Forecaster, build_forecaster
from zoo.timeseries.series import Series

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class LSTMForecaster(Forecaster):
    """Arguments of the model, beside those of `Forecaster`.

    hidden_size: int. Units of each LSTM layer.
    layers: int. LSTM layers, one upon another.
    """

    hidden_size: int = 64
    layers: int = 1

    def __post_init__(self):
        super().__post_init__()
        check_range("model.hidden_size", self.hidden_size, at_least=1)
        check_range("model.layers", self.layers, at_least=1)

    def build(self) -> keras.Model:
        """See `build_lstm_forecaster`."""
        return build_lstm_forecaster(self)


# Functional model ---------------------------------------------------------------------------------


def build_lstm_forecaster(config: LSTMForecaster) -> keras.Model:
    """Return the functional model: see `zoo.timeseries.forecaster.build_forecaster`."""
    from keras import layers

    from zoo.common.layers import recurrent

    def network(series):
        x = layers.Reshape((config.context, 1), name="steps")(series)
        for i in range(config.layers):
            last = i == config.layers - 1
            x = recurrent.LSTM(config.hidden_size, return_sequences=not last, name=f"lstm{i}")(x)
        return layers.Dense(1, dtype="float32", name="output")(x)

    return build_forecaster(config, network, "lstm_forecaster")


# Recipes ------------------------------------------------------------------------------------------


@register(
    "timeseries/lstm-laser",
    paper="Hochreiter & Schmidhuber 1997; Gers, Eck & Schmidhuber 2001",
    corpus=LASER,
    metric="nmse",
)
def lstm_laser(name: str) -> Recipe:
    """An LSTM layer forecasts a chaotic laser, one value from the ten before it.

    It follows the laser's oscillation to about the precision of the measurement, and through the sudden
    collapses that a linear model cannot follow. It has met three of them: forecasts there are less
    certain, and a forecast of many steps soon leaves a chaotic system's course. For a series of your
    own, train it on a CSV with a column `value`; the scale is taken from your data.
    """
    return Recipe(
        name,
        data=Series(),
        # Chosen on stretches held out of train around each collapse, where a longer context, fewer
        # units, weight decay and noise had larger errors.
        model=LSTMForecaster(context=10, hidden_size=128, layers=1),
        task=Forecasting(),
        # The dev part has no collapse and is soon learnt: all epochs are run.
        training=GradientDescent(epochs=200, batch_size=16, patience=200),
        optimizer=AdamW(learning_rate=4e-3, warmup_epochs=5),
        decoder=Forecast(),
    )
