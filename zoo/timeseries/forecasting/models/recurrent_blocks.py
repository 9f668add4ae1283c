"""A stack of residual blocks around a recurrent layer that is parallel over time.

Orvieto et al., "Resurrecting recurrent neural networks for long sequences" (2023). The block is that of
`zoo.common.layers.recurrent.RecurrentBlock`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_choice, check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.decoding.decoders import Forecast
from zoo.common.layers.cell_states import BLOCK_LAYERS
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
class BlockForecaster(NetworkForecaster):
    """Arguments of the model, in addition to those of `NetworkForecaster`.

    Args:
        hidden_size: number of features of each block, and of units of its recurrent layer.
        layers: number of blocks.
        cell: recurrent layer of the blocks, a name of `BLOCK_LAYERS`.
    """

    hidden_size: int = 52
    layers: int = 2
    cell: str = "LRU"

    def __post_init__(self):
        super().__post_init__()
        check_range("model.hidden_size", self.hidden_size, at_least=1)
        check_range("model.layers", self.layers, at_least=1)
        check_choice("model.cell", self.cell, BLOCK_LAYERS)

    def build(self) -> keras.Model:
        return build_block_forecaster(self)


# Functional model ---------------------------------------------------------------------------------


def build_block_forecaster(config: BlockForecaster) -> keras.Model:
    """Return the functional model. See `zoo.timeseries.forecasting.forecaster.build_forecaster`."""
    from keras import layers

    from zoo.common.layers import recurrent

    cell = getattr(recurrent, config.cell)

    def network(x, covariates):
        x = layers.Dense(config.hidden_size, name="embedding")(past_steps(config, x, covariates))
        for i in range(config.layers):
            x = recurrent.RecurrentBlock(cell(config.hidden_size), name=f"block{i}")(x)
        x = with_future(config, x[:, -1], covariates)
        return layers.Dense(config.steps, dtype="float32", name="output")(x)

    return build_forecaster(config, network, "block_forecaster")


# Recipes ------------------------------------------------------------------------------------------


@register("timeseries/lru-laser", paper="Orvieto et al. 2023", corpus=LASER, metric="nmse")
def lru_laser(name: str) -> Recipe:
    """Two blocks of linear recurrent units forecast a chaotic laser, one value from the ten before it.

    The recurrence is linear, so only the feed-forward layers of the blocks are nonlinear. It has as many
    weights as `timeseries/lstm-laser`, with which it is compared.

    It reads ten steps only. The training data has three collapses, so forecasts there are less certain.
    Forecasts of many steps were not measured.
    """
    return Recipe(
        name,
        data=Series(),
        model=BlockForecaster(context=10, hidden_size=52, layers=2, cell="LRU"),
        task=Forecasting(),
        training=GradientDescent(epochs=100, batch_size=16, patience=100),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=5),
        decoder=Forecast(),
    )
