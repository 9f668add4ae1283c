"""Diagonal linear recurrences, h_t = a_t h_{t-1} + b_t, which can be computed in parallel over time.

The coefficients a_t and b_t depend on the input only. On TensorFlow without a GPU, a kernel with a
hand-written gradient runs the loop; see `diagonal_kernel`. On JAX and PyTorch, `keras.ops` computes an
associative scan: (a, b) followed by (a', b') is (a' a, a' b + b').
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

import keras
from keras import ops

from zoo.common.layers.recurrent.base import Cell
from zoo.common.layers.recurrent.linear import Coefficients, Numbers, add, masked, multiply

if keras.config.backend() == "tensorflow":
    import tensorflow as tf

    from zoo.common.layers.recurrent import diagonal_kernel
else:
    diagonal_kernel = None  # type: ignore[assignment]


def scan(
    coefficients: Coefficients,
    z: Any,
    parameters: Sequence[Any],
    states: Numbers,
    mask: Any = None,
    reverse: bool = False,
) -> tuple[Numbers, Numbers]:
    """Return h_t of all steps, and the last one.

    Args:
        coefficients: function of a module, not a closure, since it is compiled once for each function.
        z: float32 or float64 [time, batch, width].
        parameters: further arguments of `coefficients`, to which gradients flow.
        states: h before the first step, [batch, units] each.
        mask: bool [time, batch, 1], or None. The state does not change where it is False.
        reverse: whether to run from the last step to the first.

    Returns:
        `Numbers` of [time, batch, units] in the order of `z`, and `Numbers` of [batch, units].

    Raises:
        ZooError: a second derivative is requested from the TensorFlow kernel.
    """
    if diagonal_kernel is not None:
        return diagonal_kernel.run(coefficients, z, parameters, states, mask, reverse)
    a, b = masked(coefficients, z, mask, parameters)
    # The initial state is one more step with b = state. Nothing reads its coefficient a.
    first = tuple(ops.expand_dims(state, 0) for state in states)
    edge = tuple(ops.zeros_like(part) for part in first)
    order = slice(None, None, -1) if reverse else slice(None)
    a = tuple(ops.concatenate([e, p[order]]) for e, p in zip(edge, a, strict=True))
    b = tuple(ops.concatenate([f, p[order]]) for f, p in zip(first, b, strict=True))

    def combine(one: Any, two: Any) -> Any:
        return multiply(two[0], one[0]), add(multiply(two[0], one[1]), two[1])

    _, h = ops.associative_scan(combine, (a, b), axis=0)
    return tuple(part[1:][order] for part in h), tuple(part[-1] for part in h)


def runs_parallel() -> bool:
    """Return whether `scan` can run. `keras.ops.associative_scan` of TensorFlow fails under XLA."""
    return diagonal_kernel is None or not tf.config.list_logical_devices("GPU")


class DiagonalCell(Cell):
    """A cell whose first `parts` states are the state of a diagonal linear recurrence.

    A subclass implements `build`, `coefficients` and `output`.
    """

    gates: ClassVar[
        int
    ]  # number of blocks of columns of the kernel for the recurrence; see `output`
    parts: ClassVar[int] = 1  # number of tensors of the state: 2 if it is complex

    @staticmethod
    def coefficients(z: Any, *parameters: Any) -> tuple[Numbers, Numbers]:
        """Return a and b of the recurrence. See `Coefficients`."""
        raise NotImplementedError

    def parameters(self) -> tuple[Any, ...]:
        """Return the tensors that are arguments of `coefficients`, `state_dtype` [units] each."""
        return ()

    def output(self, z: Any, h: Numbers) -> Any:
        """Return the output of a step or of all steps.

        Args:
            z: the columns of the result of `project` after those of the gates.
            h: the state.
        """
        return h[0]

    def step(self, z: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        width = self.gates * self.units
        a, b = self.coefficients(z[..., :width], *self.parameters())
        h = add(multiply(a, tuple(states)), b)
        return self.output(z[..., width:], h), list(h)

    def run(self, x: Any, states: Sequence[Any], mask: Any, reverse: bool) -> tuple[Any, list[Any]]:
        if not runs_parallel():
            return self.run_by_steps(x, states, mask, reverse)
        z, rest = self.products(x, self.kernel, self.bias)
        return self.run_projected(z, rest, states, mask, reverse)

    def products(self, x: Any, kernel: Any, bias: Any) -> tuple[Any, Any]:
        """Return the columns of `product` for the gates of the recurrence, and the others.

        They are two products, since the gradient of a part of a product would be padded with zeros.
        """
        width = self.gates * self.units
        kernel, bias = ops.convert_to_tensor(kernel), ops.convert_to_tensor(bias)
        z = self.product(x, kernel[:, :width], bias[:width])
        if kernel.shape[1] == width:
            return z, None
        return z, self.product(x, kernel[:, width:], bias[width:])

    def run_projected(
        self, z: Any, rest: Any, states: Sequence[Any], mask: Any, reverse: bool
    ) -> tuple[Any, list[Any]]:
        """Do the same as `run`, from the results of `products`."""
        h, last = scan(self.coefficients, z, self.parameters(), tuple(states), mask, reverse)
        return self.output(rest, h), list(last)

    def as_states(self, *weights: Any) -> list[Any]:
        """Return weights in `state_dtype`."""
        return [ops.cast(ops.convert_to_tensor(weight), self.state_dtype) for weight in weights]
