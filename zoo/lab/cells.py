"""Build the recurrent layers that experiments compare, with their initial weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

RNN, ORTHOGONAL_RNN = "RNN", "RNN, orthogonal"
GRU, LSTM, LSTM_BIAS_3 = "GRU", "LSTM", "LSTM, bias 3"
# The color of each cell in figures.
COLORS = {
    RNN: "tab:red",
    ORTHOGONAL_RNN: "tab:orange",
    GRU: "tab:green",
    LSTM: "tab:blue",
    LSTM_BIAS_3: "tab:purple",
}

# Recurrent layers in a residual block of their own, by name in figures.
BLOCKS = {
    "LSTM, block": "LSTM",
    "QRNN": "QRNN",
    "minGRU": "MinGRU",
    "minLSTM": "MinLSTM",
    "LRU": "LRU",
    "RG-LRU": "RGLRU",
    "sLSTM": "SLSTM",
    "mLSTM": "MLSTM",
}


def residual_block(name: str, units: int) -> keras.layers.Layer:
    """Return a linear layer and a `RecurrentBlock` as one layer.

    Args:
        name: a key of `BLOCKS`.
        units: number of features, and of units of the recurrent layer.
    """
    import keras

    from zoo.common.layers import recurrent

    block = recurrent.RecurrentBlock(getattr(recurrent, BLOCKS[name])(units))
    return keras.Sequential([keras.layers.Dense(units), block])


def recurrent_layer(name: str, units: int, seed: int, **arguments: Any) -> keras.layers.RNN:
    """Return one of the zoo's recurrent layers.

    Args:
        name: a key of `COLORS`. The initial recurrent matrix of "RNN" is random with spectral radius 1,
            that of the others is orthogonal. The initial forget bias of "LSTM" is 1, as in Keras.
        units: number of units.
        seed: seed of the initial weights.
        arguments: other arguments of the Keras layer; they may replace the initializers.
    """
    from zoo.common.layers import recurrent

    starts: dict[str, Any] = {
        "kernel_initializer": _glorot(seed),
        "recurrent_initializer": orthogonal(seed),
    }
    if name in (RNN, ORTHOGONAL_RNN):
        if name == RNN:
            starts["recurrent_initializer"] = with_radius(1.0, seed)
        return recurrent.SimpleRNN(units, **starts | arguments)
    if name == GRU:
        return recurrent.GRU(units, **starts | arguments)
    bias = 1.0 if name == LSTM else 3.0
    starts |= {"unit_forget_bias": False, "bias_initializer": forget_bias(bias)}
    return recurrent.LSTM(units, **starts | arguments)


def with_radius(radius: float, seed: int) -> Callable[..., np.ndarray]:
    """Return an initializer that makes a Gaussian matrix scaled to a spectral radius."""

    def start(shape: tuple[int, int], dtype: Any = None) -> np.ndarray:
        matrix = np.random.default_rng(seed).normal(size=shape)
        return matrix * (radius / np.abs(np.linalg.eigvals(matrix)).max())

    return start


def orthogonal(seed: int) -> Callable[..., np.ndarray]:
    """Return an initializer that makes an orthogonal matrix for each gate."""

    def start(shape: tuple[int, int], dtype: Any = None) -> np.ndarray:
        random, units = np.random.default_rng(seed), shape[0]
        gates = [
            np.linalg.qr(random.normal(size=(units, units)))[0] for _ in range(shape[1] // units)
        ]
        return np.concatenate(gates, axis=1)

    return start


def forget_bias(bias: float) -> Callable[..., np.ndarray]:
    """Return an initializer of an LSTM's biases: `bias` for the forget gates, 0 for the others."""

    def start(shape: tuple[int], dtype: Any = None) -> np.ndarray:
        return np.repeat([0.0, bias, 0.0, 0.0], shape[0] // 4)

    return start


def _glorot(seed: int) -> keras.Initializer:
    import keras

    return keras.initializers.GlorotUniform(seed)
