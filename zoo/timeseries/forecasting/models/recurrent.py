"""Recurrent layers over a window of past values. The last output gives the next values.

One config has three cells. Elman, "Finding structure in time" (1990): h' = tanh(W_xh x + W_hh h + b).
Hochreiter & Schmidhuber, "Long short-term memory" (1997). Cho et al., "Learning phrase representations
using RNN encoder-decoder for statistical machine translation" (2014), for the GRU. Gers, Eck &
Schmidhuber, "Applying LSTM to time series predictable through time-window approaches" (2001), who
forecast this laser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_choice, check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import Published, register
from zoo.common.decoding.decoders import Forecast
from zoo.common.tasks.forecasting import Forecasting
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.timeseries.forecasting.corpora.laser import LASER
from zoo.timeseries.forecasting.corpora.nn5 import DAYS_AHEAD, NN5
from zoo.timeseries.forecasting.corpora.sunspots import SUNSPOTS
from zoo.timeseries.forecasting.data import Series
from zoo.timeseries.forecasting.forecaster import (
    SQUARE_ROOT,
    WINDOW,
    NetworkForecaster,
    build_forecaster,
    past_steps,
    with_future,
)

if TYPE_CHECKING:
    import keras

CELLS = {"rnn": "SimpleRNN", "gru": "GRU", "lstm": "LSTM"}

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RecurrentForecaster(NetworkForecaster):
    """Arguments of the model, in addition to those of `NetworkForecaster`.

    Args:
        hidden_size: number of units of each recurrent layer.
        layers: number of recurrent layers.
        cell: "rnn" (Elman's network), "gru" or "lstm".
        linear: whether a linear model of the window is added to the output, so that the recurrent
            layers learn what it leaves.
    """

    hidden_size: int = 64
    layers: int = 1
    cell: str = "lstm"
    linear: bool = False

    def __post_init__(self):
        super().__post_init__()
        check_range("model.hidden_size", self.hidden_size, at_least=1)
        check_range("model.layers", self.layers, at_least=1)
        check_choice("model.cell", self.cell, CELLS)

    def build(self) -> keras.Model:
        return build_recurrent_forecaster(self)


# Functional model ---------------------------------------------------------------------------------


def build_recurrent_forecaster(config: RecurrentForecaster) -> keras.Model:
    """Return the functional model. See `zoo.timeseries.forecasting.forecaster.build_forecaster`."""
    from keras import layers

    from zoo.common.layers import recurrent

    cell = getattr(recurrent, CELLS[config.cell])

    def network(window, covariates):
        x = past_steps(config, window, covariates)
        for i in range(config.layers):
            last = i == config.layers - 1
            x = cell(config.hidden_size, return_sequences=not last, name=f"{config.cell}{i}")(x)
        x = with_future(config, x, covariates)
        forecast = layers.Dense(config.steps, dtype="float32", name="output")(x)
        if not config.linear:
            return forecast
        return forecast + layers.Dense(config.steps, dtype="float32", name="linear")(window)

    return build_forecaster(config, network, f"{config.cell}_forecaster")


# Recipes ------------------------------------------------------------------------------------------


def _laser(name: str, cell: str, learning_rate: float) -> Recipe:
    """Return the recipe that the three cells share."""
    return Recipe(
        name,
        data=Series(),
        # Chosen for the LSTM on parts of train around each collapse that were held out. A longer
        # context, fewer units, weight decay and noise had larger errors there.
        model=RecurrentForecaster(context=10, hidden_size=128, cell=cell),
        task=Forecasting(),
        # The dev part has no collapse and is learned early: all epochs are run.
        training=GradientDescent(epochs=200, batch_size=16, patience=200),
        optimizer=AdamW(learning_rate=learning_rate, warmup_epochs=5),
        decoder=Forecast(),
    )


@register("timeseries/rnn-laser", paper="Elman 1990", corpus=LASER, metric="nmse")
def rnn_laser(name: str) -> Recipe:
    """Elman's network forecasts a chaotic laser, one value from the ten before it.

    It compares the simple recurrent network with the LSTM and the GRU: same window, same number of
    units, no gates.

    It reads ten steps only. The training data has three collapses, so forecasts there are less certain.
    Forecasts of many steps were not measured.
    """
    # Half the learning rate of the others, because no gate limits the change of the state.
    return _laser(name, "rnn", learning_rate=2e-3)


@register("timeseries/gru-laser", paper="Cho et al. 2014", corpus=LASER, metric="nmse")
def gru_laser(name: str) -> Recipe:
    """A GRU layer forecasts a chaotic laser, one value from the ten before it.

    It compares the GRU with the LSTM and Elman's network: same window, same number of units, two gates.

    It reads ten steps only. The training data has three collapses, so forecasts there are less certain.
    Forecasts of many steps were not measured.
    """
    return _laser(name, "gru", learning_rate=4e-3)


@register(
    "timeseries/lstm-laser",
    paper="Hochreiter & Schmidhuber 1997; Gers, Eck & Schmidhuber 2001",
    corpus=LASER,
    metric="nmse",
)
def lstm_laser(name: str) -> Recipe:
    """An LSTM layer forecasts a chaotic laser, one value from the ten before it.

    It forecasts the oscillation of the laser to about the precision of the measurement, and also the
    sudden collapses, which a linear model cannot forecast. For your own series, train it on a CSV file
    with a column `value`; the scale is taken from your data.

    The training data has three collapses, so forecasts there are less certain. A forecast of many steps
    soon diverges from the course of a chaotic system.
    """
    return _laser(name, "lstm", learning_rate=4e-3)


@register(
    "timeseries/lstm-sunspots",
    paper="Hochreiter & Schmidhuber 1997",
    corpus=SUNSPOTS,
    metric="nmse",
    published=Published("nmse", 0.141, "Tong & Lim 1980: 0.28 relative to 1535"),
)
def lstm_sunspots(name: str) -> Recipe:
    """An LSTM layer forecasts the yearly number of sunspots, one year ahead.

    The network reads and returns square roots. It has a linear autoregression, to which a small LSTM
    layer adds what the autoregression leaves, because 221 values are few. Compare
    `timeseries/ar-sunspots`.

    It is trained on 1700-1920, its epoch is chosen on 1921-1955, and it is evaluated on 1956-1979, whose
    first cycle is higher than any before it. It was measured one year ahead only.
    """
    return Recipe(
        name,
        data=Series(),
        # A solar cycle has eleven years. The spots of a year vary with their number.
        model=RecurrentForecaster(context=12, hidden_size=4, transform=SQUARE_ROOT, linear=True),
        task=Forecasting(),
        training=GradientDescent(epochs=80, batch_size=16, patience=80),
        # The 35 years of dev are few to choose an epoch: the weights of the last ones are averaged.
        optimizer=AdamW(learning_rate=5e-3, warmup_epochs=5, weight_decay=0.1, average_from=40),
        decoder=Forecast(),
    )


@register(
    "timeseries/lstm-nn5",
    paper="Hochreiter & Schmidhuber 1997",
    corpus=NN5,
    metric="smape",
    published=Published("smape", 0.204, "Andrawis, Atiya & El-Shishiny 2011, combined forecasts"),
)
def lstm_nn5(name: str) -> Recipe:
    """One LSTM forecasts 111 series of cash withdrawals: 56 days at once, from the 56 days before them.

    It is for daily series with a weekly pattern. It scales each window separately, so a series may have
    values of any size: a CSV file with a column of dates and one column per series. A missing day is
    replaced by the same weekday of the week before.

    It was trained on two years of cash machines in England. Other holidays, and series that grow fast,
    were not evaluated.
    """
    return Recipe(
        name,
        data=Series(calendar=("weekday",), season=7),
        model=RecurrentForecaster(context=56, hidden_size=64, steps=DAYS_AHEAD, scaling=WINDOW),
        task=Forecasting(monitor="smape"),
        # Dev is the last 56 of 735 days. Test is the 56 days after them.
        training=GradientDescent(epochs=10, batch_size=64, patience=10, dev_fraction=56 / 735),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=0.5, weight_decay=1e-2),
        decoder=Forecast(horizon=DAYS_AHEAD),
    )
