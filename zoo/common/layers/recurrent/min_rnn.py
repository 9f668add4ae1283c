"""The minimal LSTM and GRU, whose gates do not depend on the state."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from zoo.common.layers.recurrent.base import RecurrentLayer, register
from zoo.common.layers.recurrent.diagonal import DiagonalCell
from zoo.common.layers.recurrent.linear import Numbers


@register
class MinGRUCell(DiagonalCell):
    """One step of `MinGRU`.

    Args:
        units: number of units.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    gates = 2

    def build(self, input_shape: Sequence[int | None]) -> None:
        width = self.gates * self.units
        self.kernel = self.add_kernel("kernel", (input_shape[-1], width))
        self.bias = self.add_bias(width)

    @staticmethod
    def coefficients(z: Any, *parameters: Any) -> tuple[Numbers, Numbers]:
        gate, candidate = ops.split(z, 2, axis=-1)
        u = ops.sigmoid(gate)
        return (1 - u,), (u * candidate,)


@register
class MinLSTMCell(MinGRUCell):
    """One step of `MinLSTM`. The arguments are those of `MinGRUCell`."""

    gates = 3

    @staticmethod
    def coefficients(z: Any, *parameters: Any) -> tuple[Numbers, Numbers]:
        forget, inputs, candidate = ops.split(z, 3, axis=-1)
        # f / (f + i) = (1 + 1/I) / (2 + 1/I + 1/F) with the exponentials I and F of the gates' inputs.
        # Terms are divided by the largest one, since gates may be so small that both would be zero.
        largest = ops.stop_gradient(ops.maximum(ops.maximum(-inputs, -forget), 0.0))
        one, i, f = (ops.exp(x - largest) for x in (0.0, -inputs, -forget))
        f = (one + i) / (2 * one + i + f)
        return (f,), ((1 - f) * candidate,)


@register
class MinGRU(RecurrentLayer):
    """The minimal GRU (Feng et al. 2024, section 3.1).

        u_t = sigmoid(x_t K_u + b_u)
        h_t = (1 - u_t) * h_{t-1} + u_t * (x_t K_h + b_h)

    The state is `h` [batch, units].

    Args:
        units: number of units.
        **kwargs: arguments of `RecurrentLayer`.
    """

    cell_class = MinGRUCell


@register
class MinLSTM(RecurrentLayer):
    """The minimal LSTM with normalized gates (Feng et al. 2024, section 3.2).

        f_t, i_t = sigmoid(x_t K_f + b_f), sigmoid(x_t K_i + b_i)
        h_t = f_t / (f_t + i_t) * h_{t-1} + i_t / (f_t + i_t) * (x_t K_h + b_h)

    The state is `h` [batch, units].

    Args:
        units: number of units.
        **kwargs: arguments of `RecurrentLayer`.
    """

    cell_class = MinLSTMCell
