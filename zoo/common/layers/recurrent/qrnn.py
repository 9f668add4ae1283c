"""The quasi-recurrent layer, whose gates are a convolution of the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import ops

from zoo.common.core.errors import check_choice
from zoo.common.layers.recurrent.base import RecurrentLayer, register
from zoo.common.layers.recurrent.diagonal import DiagonalCell, runs_parallel, scan
from zoo.common.layers.recurrent.linear import Numbers


@register
class QRNNCell(DiagonalCell):
    """One step of `QRNN`.

    Args:
        units: number of units.
        window: number of inputs of the convolution, 1 or 2.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    gates = 2

    def __init__(self, units: int, window: int = 2, **kwargs: Any):
        super().__init__(units, **kwargs)
        check_choice("window", window, (1, 2))
        self.window = window
        if window == 1:
            self.state_size = [units]

    def build(self, input_shape: Sequence[int | None]) -> None:
        shape = (input_shape[-1], 3 * self.units)
        self.kernel = self.add_kernel("kernel", shape)
        self.bias = self.add_bias(3 * self.units)
        if self.window == 2:
            self.previous_kernel = self.add_kernel("previous_kernel", shape)

    def project(self, x: Any) -> Any:
        z = super().project(x)
        if self.window == 1:
            return z
        return ops.concatenate([z, self.product(x, self.previous_kernel)], axis=-1)

    @staticmethod
    def coefficients(z: Any, *parameters: Any) -> tuple[Numbers, Numbers]:
        candidate, forget = ops.split(z, 2, axis=-1)
        f = ops.sigmoid(forget)
        # tanh, of which XLA on a CPU computes one element after the other in a part of a block.
        a = 2 * ops.sigmoid(2 * candidate) - 1
        return (f,), ((1 - f) * a,)

    def output(self, z: Any, h: Numbers) -> Any:
        return ops.sigmoid(z) * h[0]

    def step(self, z: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        if self.window == 1:
            return super().step(z, states)
        z, following = ops.split(z, 2, axis=-1)
        output, state = super().step(z + states[1], states[:1])
        return output, [*state, following]

    def run(self, x: Any, states: Sequence[Any], mask: Any, reverse: bool) -> tuple[Any, list[Any]]:
        if self.window == 1 or not runs_parallel():
            return super().run(x, states, mask, reverse)
        # The inputs before each step, and ones at the steps without any, whose `previous` is the state.
        ones = ops.ones_like(x[..., :1], self.state_dtype)
        before, last = _before(ops.cast(x, self.state_dtype), mask, reverse)
        seen, any_seen = _before(ones, mask, reverse)
        kernel = ops.concatenate([self.kernel, self.previous_kernel], axis=0)
        both = ops.concatenate([ops.cast(x, before.dtype), before], axis=-1)
        width = 2 * self.units
        z, rest = self.products(both, kernel, self.bias)
        z = z + (1 - seen) * states[1][:, :width]
        rest = rest + (1 - seen) * states[1][:, width:]
        output, state = self.run_projected(z, rest, states[:1], mask, reverse)
        following = self.product(last, self.previous_kernel)
        return output, [*state, ops.where(any_seen > 0, following, states[1])]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "window": self.window}


def _before(x: Any, mask: Any, reverse: bool) -> tuple[Any, Any]:
    """Return the last input before each step that was not masked, or zeros, and the last one of all.

    Args:
        x: [time, batch, features].
        mask: bool [time, batch, 1], or None.
        reverse: whether the last step is the first of the recurrence.
    """
    edge = ops.zeros_like(x[:1])
    if mask is not None:
        (x,), _ = scan(_replace, x, (), (edge[0],), mask, reverse)
    if reverse:
        return ops.concatenate([x[1:], edge], axis=0), x[0]
    return ops.concatenate([edge, x[:-1]], axis=0), x[-1]


def _replace(z: Any) -> tuple[Numbers, Numbers]:
    """Return the coefficients of a recurrence whose state is the last input."""
    return (ops.zeros_like(z),), (z,)


@register
class QRNN(RecurrentLayer):
    """A quasi-recurrent layer with fo-pooling (Bradbury et al. 2017).

    With the window 2 and x_0 = 0 (section 2, equations 1 to 3):

        a_t = tanh(x_{t-1} K1_a + x_t K_a + b_a)
        f_t, o_t = sigmoid(x_{t-1} K1_f + x_t K_f + b_f), sigmoid(x_{t-1} K1_o + x_t K_o + b_o)

    and the pooling (section 2.1, equation 4):

        c_t = f_t * c_{t-1} + (1 - f_t) * a_t        y_t = o_t * c_t

    The states are `c` [batch, units] and, with the window 2, `previous` [batch, 3 units], which is
    [x_{t-1} K1_a, x_{t-1} K1_f, x_{t-1} K1_o].

    Args:
        units: number of units.
        window: number of inputs of the convolution, 1 or 2.
        **kwargs: arguments of `RecurrentLayer`.
    """

    cell_class = QRNNCell

    def __init__(self, units: int, window: int = 2, **kwargs: Any):
        super().__init__(units, cell={"window": window}, **kwargs)
