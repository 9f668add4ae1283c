"""The recurrent cells that experiments compare, each with the start it is given."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import keras

RNN, ORTHOGONAL_RNN = "RNN", "RNN, orthogonal"
GRU, LSTM, LSTM_BIAS_3 = "GRU", "LSTM", "LSTM, bias 3"
# What a figure draws each cell in.
COLORS = {
    RNN: "tab:red",
    ORTHOGONAL_RNN: "tab:orange",
    GRU: "tab:green",
    LSTM: "tab:blue",
    LSTM_BIAS_3: "tab:purple",
}


def recurrent_layer(name: str, units: int, seed: int, **arguments: Any) -> keras.layers.RNN:
    """Return one of the zoo's recurrent layers.

    Args:
        name: a key of `COLORS`. "RNN" starts from a random matrix of spectral radius 1, the others
            from an orthogonal one; the forget gates of "LSTM" start at a bias of 1, as in Keras.
        units: of the layer. seed: of its start. arguments: others of the Keras layer,
            or in place of its start.
    """
    from zoo.common.layers import recurrent

    starts = {"kernel_initializer": _glorot(seed), "recurrent_initializer": orthogonal(seed)}
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
    """Return an initializer: a Gaussian matrix, scaled to that spectral radius."""

    def start(shape: tuple[int, int], dtype: Any = None) -> np.ndarray:
        matrix = np.random.default_rng(seed).normal(size=shape)
        return matrix * (radius / np.abs(np.linalg.eigvals(matrix)).max())

    return start


def orthogonal(seed: int) -> Callable[..., np.ndarray]:
    """Return an initializer: an orthogonal matrix for each gate."""

    def start(shape: tuple[int, int], dtype: Any = None) -> np.ndarray:
        random, units = np.random.default_rng(seed), shape[0]
        gates = [
            np.linalg.qr(random.normal(size=(units, units)))[0] for _ in range(shape[1] // units)
        ]
        return np.concatenate(gates, axis=1)

    return start


def forget_bias(bias: float) -> Callable[..., np.ndarray]:
    """Return an initializer of an LSTM's biases (gates i, f, c, o): that of the forget gates, zeros."""

    def start(shape: tuple[int], dtype: Any = None) -> np.ndarray:
        return np.repeat([0.0, bias, 0.0, 0.0], shape[0] // 4)

    return start


def _glorot(seed: int) -> keras.Initializer:
    import keras

    return keras.initializers.GlorotUniform(seed)
