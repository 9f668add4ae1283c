"""Linear recurrent units: with a fixed complex decay (LRU), and with a gated real one (RG-LRU)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from zoo.common.core.errors import ZooError, check_range
from zoo.common.layers.recurrent.base import RecurrentLayer, register
from zoo.common.layers.recurrent.diagonal import DiagonalCell
from zoo.common.layers.recurrent.linear import Numbers

GATE_POWER = 8.0  # c of Griffin
# The square root of 1 - a^2 has an infinite derivative at a = 1.
LEAST_SQUARE = 1e-6


class _DecayCell(DiagonalCell):
    """A cell whose initial decays are in a range.

    Args:
        units: number of units.
        min_decay: smallest initial decay, above 0.
        max_decay: largest initial decay, below 1.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def __init__(self, units: int, min_decay: float = 0.9, max_decay: float = 0.999, **kwargs: Any):
        super().__init__(units, **kwargs)
        for name, decay in (("min_decay", min_decay), ("max_decay", max_decay)):
            check_range(name, decay, above=0, below=1)
        if min_decay > max_decay:
            raise ZooError(
                f"min_decay must be at most max_decay. Received: {min_decay} and {max_decay}."
            )
        self.min_decay, self.max_decay = min_decay, max_decay

    def add_decay(self, initializer: Any, name: str) -> Any:
        """Return a new weight [units], in full precision since its errors add up over the steps."""
        return self.add_weight((self.units,), initializer, autocast=False, name=name)

    def get_config(self) -> dict[str, Any]:
        decays = {"min_decay": self.min_decay, "max_decay": self.max_decay}
        return {**super().get_config(), **decays}


@register
class LRUCell(_DecayCell):
    """One step of `LRU`. The arguments are those of `LRU`."""

    gates = 2
    parts = 2

    def __init__(
        self,
        units: int,
        min_decay: float = 0.9,
        max_decay: float = 0.999,
        max_phase: float = 2 * np.pi,
        **kwargs: Any,
    ):
        super().__init__(units, min_decay, max_decay, **kwargs)
        check_range("max_phase", max_phase, above=0)
        self.max_phase = max_phase

    def build(self, input_shape: Sequence[int | None]) -> None:
        size = self.units
        self.kernel = self.add_kernel("kernel", (input_shape[-1], 3 * size))
        self.bias = self.add_bias(3 * size, "zeros")
        self.output_kernel = self.add_kernel("output_kernel", (2 * size, size))
        low, high = self.min_decay**2, self.max_decay**2

        def log_decay(shape, dtype=None):  # nu, with |lambda|^2 uniform in [low, high]
            uniform = keras.random.uniform(shape, low, high, dtype)
            return ops.log(-0.5 * ops.log(uniform))

        def log_phase(shape, dtype=None):  # theta; not zero, whose logarithm is infinite
            return ops.log(self.max_phase * keras.random.uniform(shape, 1e-3, 1.0, dtype))

        self.log_decay = self.add_decay(log_decay, "log_decay")
        self.log_phase = self.add_decay(log_phase, "log_phase")

    def parameters(self) -> tuple[Any, ...]:
        log_decay, log_phase = self.as_states(self.log_decay, self.log_phase)
        decay, phase = ops.exp(-ops.exp(log_decay)), ops.exp(log_phase)
        scale = ops.sqrt(ops.maximum(1 - decay * decay, LEAST_SQUARE))
        return decay * ops.cos(phase), decay * ops.sin(phase), scale

    @staticmethod
    def coefficients(z: Any, *parameters: Any) -> tuple[Numbers, Numbers]:
        a_real, a_imaginary, scale = parameters
        real, imaginary = ops.split(z, 2, axis=-1)
        ones = ops.ones_like(real)
        return (a_real * ones, a_imaginary * ones), (scale * real, scale * imaginary)

    def output(self, z: Any, h: Numbers) -> Any:
        read = self.product(ops.concatenate(h, axis=-1), self.output_kernel)
        return read + z

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "max_phase": self.max_phase}


@register
class LRU(RecurrentLayer):
    """The linear recurrent unit, with a complex diagonal recurrence (Orvieto et al. 2023).

    With lambda = exp(-exp(nu) + i exp(theta)) (section 3.3) and gamma = sqrt(1 - |lambda|^2) (section
    3.4), for complex h, B and C:

        h_t = lambda * h_{t-1} + gamma * (x_t B + b)
        y_t = Re(h_t C) + x_t D + d

    There is no nonlinear function in the layer. gamma is computed from lambda here; in the paper it is
    an own weight with this initial value. The states are `real` and `imaginary`, [batch, units] each.

    Args:
        units: number of complex units, and of outputs.
        min_decay: smallest initial |lambda|, above 0.
        max_decay: largest initial |lambda|, below 1.
        max_phase: largest initial phase of lambda.
        **kwargs: arguments of `RecurrentLayer`.
    """

    cell_class = LRUCell

    def __init__(
        self,
        units: int,
        min_decay: float = 0.9,
        max_decay: float = 0.999,
        max_phase: float = 2 * np.pi,
        **kwargs: Any,
    ):
        cell = {"min_decay": min_decay, "max_decay": max_decay, "max_phase": max_phase}
        super().__init__(units, cell=cell, **kwargs)


@register
class RGLRUCell(_DecayCell):
    """One step of `RGLRU`. The arguments are those of `RGLRU`."""

    gates = 3

    def build(self, input_shape: Sequence[int | None]) -> None:
        self.kernel = self.add_kernel("kernel", (input_shape[-1], 3 * self.units))
        self.bias = self.add_bias(3 * self.units)

        def decay(shape, dtype=None):  # Lambda, with sigmoid(Lambda)^c uniform in the range
            uniform = keras.random.uniform(shape, self.min_decay, self.max_decay, dtype)
            root = uniform ** (1 / GATE_POWER)
            return ops.log(root) - ops.log(1 - root)

        self.decay = self.add_decay(decay, "decay")

    def parameters(self) -> tuple[Any, ...]:
        (decay,) = self.as_states(self.decay)
        return (-GATE_POWER * ops.softplus(-decay),)  # log sigmoid(Lambda)^c

    @staticmethod
    def coefficients(z: Any, *parameters: Any) -> tuple[Numbers, Numbers]:
        recurrence, gate, value = ops.split(z, 3, axis=-1)
        a = ops.exp(parameters[0] * ops.sigmoid(recurrence))
        scale = ops.sqrt(ops.maximum(1 - a * a, LEAST_SQUARE))
        return (a,), (scale * ops.sigmoid(gate) * value,)


@register
class RGLRU(RecurrentLayer):
    """The real-gated linear recurrent unit of Griffin (De et al. 2024, section 2.4).

        r_t, i_t = sigmoid(x_t K_r + b_r), sigmoid(x_t K_i + b_i)
        a_t = sigmoid(Lambda)^(c r_t),  c = 8
        h_t = a_t * h_{t-1} + sqrt(1 - a_t^2) * (i_t * v_t)

    In the paper, the linear map v_t = x_t K_v + b_v precedes the layer, and the gates are functions of
    v_t; here they are functions of x_t. The state is `h` [batch, units].

    Args:
        units: number of units.
        min_decay: smallest initial value of sigmoid(Lambda)^c, above 0.
        max_decay: largest initial value, below 1.
        **kwargs: arguments of `RecurrentLayer`.
    """

    cell_class = RGLRUCell

    def __init__(self, units: int, min_decay: float = 0.9, max_decay: float = 0.999, **kwargs: Any):
        super().__init__(units, cell={"min_decay": min_decay, "max_decay": max_decay}, **kwargs)
