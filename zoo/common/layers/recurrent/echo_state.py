"""The reservoir of an echo state network: a recurrent layer that is not trained."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.common.core.errors import check_range
from zoo.common.layers.recurrent.base import Cell, RecurrentLayer, register


@register
class SpectralRadius(keras.initializers.Initializer):
    """Make a Gaussian square matrix, scaled to a spectral radius.

    Args:
        radius: largest absolute eigenvalue.
        seed: seed of the matrix.
    """

    def __init__(self, radius: float, seed: int):
        self.radius, self.seed = radius, seed

    def __call__(self, shape: tuple[int, int], dtype: Any = None) -> np.ndarray:
        return self.radius * _matrix(tuple(shape), self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"radius": self.radius, "seed": self.seed}


@functools.lru_cache(maxsize=4)  # a model is built several times, and eigenvalues take a second
def _matrix(shape: tuple[int, int], seed: int) -> np.ndarray:
    """Return a Gaussian matrix with the spectral radius 1."""
    matrix = np.random.default_rng(seed).normal(size=shape)
    return matrix / np.abs(np.linalg.eigvals(matrix)).max()


@register
class EchoStateCell(Cell):
    """One step of `EchoState`. The arguments are those of `EchoState`."""

    def __init__(
        self,
        units: int,
        spectral_radius: float = 0.9,
        leak: float = 1.0,
        input_scale: float = 1.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        super().__init__(units, **kwargs)
        check_range("spectral_radius", spectral_radius, above=0)
        check_range("leak", leak, above=0, at_most=1)
        check_range("input_scale", input_scale, above=0)
        self.spectral_radius, self.leak = spectral_radius, leak
        self.input_scale, self.seed = input_scale, seed

    def build(self, input_shape: Sequence[int | None]) -> None:
        scale, seed = self.input_scale, self.seed
        uniform = [keras.initializers.RandomUniform(-scale, scale, seed=seed + n) for n in (1, 2)]

        def fixed(name, shape, initializer):
            return self.add_weight(shape, initializer, trainable=False, name=name)

        self.kernel = fixed("kernel", (input_shape[-1], self.units), uniform[0])
        reservoir = SpectralRadius(self.spectral_radius, seed)
        self.recurrent_kernel = fixed("recurrent_kernel", (self.units, self.units), reservoir)
        self.bias = fixed("bias", (self.units,), uniform[1])

    def step(self, z: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        (h,) = states
        update = ops.tanh(z + ops.matmul(h, ops.cast(self.recurrent_kernel, self.state_dtype)))
        h = update if self.leak == 1 else (1 - self.leak) * h + self.leak * update
        return h, [h]

    def get_config(self) -> dict[str, Any]:
        own = ("spectral_radius", "leak", "input_scale", "seed")
        return {**super().get_config(), **{name: getattr(self, name) for name in own}}


@register
class EchoState(RecurrentLayer):
    """The reservoir of an echo state network (Jaeger 2001; with leak, Jaeger et al. 2007).

        h_t = (1 - leak) h_{t-1} + leak tanh(x_t K + h_{t-1} R + b)

    All weights are random and fixed: K and b are uniform, R is Gaussian and scaled to the spectral
    radius (Jaeger 2001, section 3). With a radius below 1, the state usually forgets its initial value.
    Only a layer after it is trained, by least squares. The state is `h` [batch, units].

    Args:
        units: number of units.
        spectral_radius: largest absolute eigenvalue of R.
        leak: share of the state that is new in a step, in (0, 1].
        input_scale: largest absolute value of K and b.
        seed: seed of the weights.
        **kwargs: arguments of `RecurrentLayer`.
    """

    cell_class = EchoStateCell

    def __init__(
        self,
        units: int,
        spectral_radius: float = 0.9,
        leak: float = 1.0,
        input_scale: float = 1.0,
        seed: int = 0,
        **kwargs: Any,
    ):
        cell = {
            "spectral_radius": spectral_radius,
            "leak": leak,
            "input_scale": input_scale,
            "seed": seed,
        }
        super().__init__(units, cell=cell, **kwargs)
