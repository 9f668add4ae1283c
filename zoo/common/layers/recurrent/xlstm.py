"""The two layers of xLSTM: sLSTM with scalar memories, and mLSTM with a matrix memory.

Their gates are exponentials. The stabilizer m keeps them finite: all memories are divided by exp(m),
which cancels in the output (Beck et al. 2024, equations 15 to 17 and appendix A).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from zoo.common.core.errors import ZooError, check_range
from zoo.common.layers.cell_states import cell_states
from zoo.common.layers.recurrent.base import Cell, RecurrentLayer, register
from zoo.common.utils.private import rnn

# The logarithm of the input gate of a masked step. Minus infinity multiplied by 0 would be NaN.
CLOSED = -1e30
# Initial biases of the forget gates, from short to long memories.
FORGET_BIASES = (3.0, 6.0)


def _sizes(x: Any) -> tuple[Any, ...]:
    """Return the sizes of all axes but the last, for a reshape. The batch may be free."""
    return tuple(-1 if size is None else size for size in ops.shape(x)[:-1])


class _HeadsCell(Cell):
    """A cell whose units are divided into heads.

    Args:
        units: number of units, a multiple of `heads`.
        heads: number of heads.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def __init__(self, units: int, heads: int = 4, **kwargs: Any):
        check_range("heads", heads, at_least=1)
        self.heads = heads
        super().__init__(units, **kwargs)
        if units % heads:
            raise ZooError(f"units must be a multiple of heads ({heads}). Received: {units}.")
        self.size = units // heads

    def state_sizes(self) -> list[int]:
        layer = type(self).__name__.removesuffix("Cell")
        return list(cell_states(layer, self.units, self.heads).values())

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "heads": self.heads}


@register
class SLSTMCell(_HeadsCell):
    """One step of `SLSTM`. The arguments are those of `SLSTM`."""

    def build(self, input_shape: Sequence[int | None]) -> None:
        units = self.units
        self.kernel = self.add_kernel("kernel", (input_shape[-1], 4 * units))
        shape = (self.heads, self.size, 4 * self.size)
        self.recurrent_kernel = self.add_weight(
            shape=shape, initializer="orthogonal", name="recurrent_kernel"
        )
        forget = np.linspace(*FORGET_BIASES, units)
        parts = [np.zeros(2 * units), forget, np.zeros(units)]
        self.bias = self.add_bias(4 * units, lambda shape, dtype: np.concatenate(parts))

    def step(self, z: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        h, c, n, m = states
        candidate, i, f, o = ops.split(z + self._recurrent(h), 4, axis=-1)
        keep = m - ops.softplus(-f)  # log f + m
        # Before the first step, the memories are zero and m has no meaning.
        new_m = ops.where(n > 0, ops.maximum(keep, i), i)
        i, f = ops.exp(i - new_m), ops.exp(ops.minimum(keep - new_m, 0.0))
        c = f * c + i * ops.tanh(candidate)
        n = f * n + i
        h = ops.sigmoid(o) * c / n
        return h, [h, c, n, new_m]

    def _recurrent(self, h: Any) -> Any:
        """Return h R [batch, 4 units], where R has a block for each head."""
        kernel = ops.cast(self.recurrent_kernel, self.state_dtype)
        batch = _sizes(h)
        h = ops.transpose(ops.reshape(h, (*batch, self.heads, self.size)), (1, 0, 2))
        product = ops.reshape(ops.matmul(h, kernel), (self.heads, *batch, 4, self.size))
        return ops.reshape(ops.transpose(product, (1, 2, 0, 3)), (*batch, 4 * self.units))


@register
class SLSTM(RecurrentLayer):
    """The sLSTM layer of xLSTM (Beck et al. 2024, section 2.2, equations 8 to 17).

        z_t, o_t = tanh(x_t K_z + h_{t-1} R_z + b_z), sigmoid(x_t K_o + h_{t-1} R_o + b_o)
        log i_t, log f_t = x_t K_i + h_{t-1} R_i + b_i, log sigmoid(x_t K_f + h_{t-1} R_f + b_f)
        m_t = max(log f_t + m_{t-1}, log i_t)
        i'_t, f'_t = exp(log i_t - m_t), exp(log f_t + m_{t-1} - m_t)
        c_t = f'_t * c_{t-1} + i'_t * z_t        n_t = f'_t * n_{t-1} + i'_t
        h_t = o_t * c_t / n_t

    R has one block for each head. The forget gate is a sigmoid, one of the two of the paper. The states
    are `h`, `c`, `n` and `m`, [batch, units] each. Every step needs the state, so there is no form that
    is parallel over time.

    Args:
        units: number of units, a multiple of `heads`.
        heads: number of heads.
        **kwargs: arguments of `RecurrentLayer`.
    """

    cell_class = SLSTMCell

    def __init__(self, units: int, heads: int = 4, **kwargs: Any):
        super().__init__(units, cell={"heads": heads}, **kwargs)


@register
class MLSTMCell(_HeadsCell):
    """One step of `MLSTM`. The arguments are those of `MLSTM`."""

    def __init__(self, units: int, heads: int = 4, chunk: int = 32, **kwargs: Any):
        super().__init__(units, heads, **kwargs)
        check_range("chunk", chunk, at_least=1)
        self.chunk = chunk

    def build(self, input_shape: Sequence[int | None]) -> None:
        width = 4 * self.units + 2 * self.heads
        self.kernel = self.add_kernel("kernel", (input_shape[-1], width))
        forget = np.linspace(*FORGET_BIASES, self.heads)
        parts = [np.zeros(4 * self.units + self.heads), forget]
        self.bias = self.add_bias(width, lambda shape, dtype: np.concatenate(parts))

    def step(self, z: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        memory, n, m = self._memories(states)
        q, k, v, o, i, f = self._parts(z)  # [batch, heads, size] each; i and f [batch, heads]
        keep = m - ops.softplus(-f)
        new_m = ops.maximum(keep, i)
        f, i = ops.exp(keep - new_m)[..., None], ops.exp(i - new_m)[..., None]
        memory = f[..., None] * memory + (i * k)[..., None] * v[..., None, :]
        n = f * n + i * k
        read = ops.squeeze(ops.matmul(q[..., None, :], memory), -2)
        scale = ops.sum(n * q, axis=-1)
        h = o * read / self._divisor(scale, new_m)
        return ops.reshape(h, (*_sizes(z), self.units)), self._vectors(memory, n, new_m)

    def run(self, x: Any, states: Sequence[Any], mask: Any, reverse: bool) -> tuple[Any, list[Any]]:
        """Run chunks one after the other, with matrix products instead of steps inside a chunk."""
        z = self.project(x)
        if reverse:
            z = ops.flip(z, axis=0)
            mask = None if mask is None else ops.flip(mask, axis=0)
        (time_steps, batch), width = ops.shape(z)[:2], z.shape[2]
        inside = ops.ones_like(z[..., :1]) if mask is None else ops.cast(mask, z.dtype)
        rows = ops.concatenate([z, inside], axis=-1)
        chunk = ops.minimum(time_steps, self.chunk)
        rows = ops.pad(rows, [(0, -time_steps % chunk), (0, 0), (0, 0)])  # masked steps
        rows = ops.reshape(rows, (-1, chunk, batch, width + 1))
        chunks = ops.transpose(rows, (0, 2, 1, 3))
        _, outputs, last = rnn(self._chunk, chunks, list(states), None, False)
        outputs = ops.transpose(outputs, (0, 2, 1, 3))
        outputs = ops.reshape(outputs, (-1, batch, self.units))[:time_steps]
        return (ops.flip(outputs, axis=0) if reverse else outputs), list(last)

    def _chunk(self, rows: Any, states: Sequence[Any]) -> tuple[Any, list[Any]]:
        """Run the steps of a chunk.

        The weight of step s in the output of step t is exp(F_t - F_s + log i_s), where F_t is the sum of
        log f of the steps up to t. That of the state before the chunk is exp(F_t + m).

        Args:
            rows: [batch, chunk, width + 1], `z` and 1 for steps that are not masked.
            states: the states before the chunk.
        """
        memory, n, m = self._memories(states)
        inside = rows[:, None, :, -1] > 0
        q, k, v, o, i, f = (self._heads_first(part) for part in self._parts(rows[..., :-1]))
        log_f = ops.where(inside, -ops.softplus(-f), 0.0)
        i = ops.where(inside, i, CLOSED)
        total = ops.cumsum(log_f, axis=-1)  # F [batch, heads, chunk]
        logs = total[..., :, None] - total[..., None, :] + i[..., None, :]
        steps = ops.arange(ops.shape(rows)[1])
        causal = steps[:, None] >= steps
        logs = ops.where(causal, logs, CLOSED)
        carried = total + m[..., None]
        new_m = ops.maximum(ops.max(logs, axis=-1), carried)
        weights = ops.exp(logs - new_m[..., None])
        scores = ops.matmul(q, ops.swapaxes(k, -1, -2)) * weights
        old = ops.exp(carried - new_m)[..., None]
        read = ops.matmul(scores, v) + old * ops.matmul(q, memory)
        scale = ops.sum(scores, axis=-1) + ops.squeeze(old * ops.matmul(q, n[..., None]), -1)
        h = o * read / self._divisor(scale, new_m)
        # The state after the last step: the same weights, with the keys in place of the scores.
        k = k * weights[..., -1, :, None]
        kept = old[..., -1:, :]
        memory = kept * memory + ops.matmul(ops.swapaxes(k, -1, -2), v)
        n = kept[..., 0] * n + ops.sum(k, axis=-2)
        h = ops.transpose(h, (0, 2, 1, 3))
        h = ops.reshape(h, (*ops.shape(rows)[:2], self.units))
        return h, self._vectors(memory, n, new_m[..., -1])

    def _parts(self, z: Any) -> list[Any]:
        """Return q, k, v and o, [..., heads, size] each, and the inputs of i and f, [..., heads]."""
        width, heads = 4 * self.units, self.heads
        vectors = ops.reshape(z[..., :width], (*_sizes(z), 4, heads, self.size))
        q, k, v, o = (vectors[..., j, :, :] for j in range(4))
        i, f = z[..., width : width + heads], z[..., width + heads :]
        return [q, k / self.size**0.5, v, ops.sigmoid(o), i, f]

    @staticmethod
    def _heads_first(x: Any) -> Any:
        """Change [batch, chunk, heads, ...] to [batch, heads, chunk, ...]."""
        return ops.swapaxes(x, 1, 2)

    def _memories(self, states: Sequence[Any]) -> list[Any]:
        memory, n, m = states
        shape = (*_sizes(m), self.heads, self.size)
        return [ops.reshape(memory, (*shape, self.size)), ops.reshape(n, shape), m]

    def _vectors(self, memory: Any, n: Any, m: Any) -> list[Any]:
        batch = _sizes(m)
        sizes = (*batch, self.state_size[0]), (*batch, self.units)
        return [ops.reshape(memory, sizes[0]), ops.reshape(n, sizes[1]), m]

    @staticmethod
    def _divisor(scale: Any, m: Any) -> Any:
        """Return max(|n q|, 1), both divided by exp(m)."""
        return ops.maximum(ops.absolute(scale), ops.exp(ops.minimum(-m, 80.0)))[..., None]

    def get_config(self) -> dict[str, Any]:
        return {**super().get_config(), "chunk": self.chunk}


@register
class MLSTM(RecurrentLayer):
    """The mLSTM layer of xLSTM, with a matrix memory (Beck et al. 2024, section 2.3).

    For each head of size d (equations 19 to 27):

        q_t, k_t, v_t = x_t K_q + b_q, (x_t K_k + b_k) / sqrt(d), x_t K_v + b_v
        o_t = sigmoid(x_t K_o + b_o)
        log i_t, log f_t = x_t K_i + b_i, log sigmoid(x_t K_f + b_f)
        C_t = f_t C_{t-1} + i_t k_t^T v_t        n_t = f_t n_{t-1} + i_t k_t
        h_t = o_t * (q_t C_t) / max(|n_t q_t^T|, 1)

    C and n are divided by exp(m_t), with m_t = max(log f_t + m_{t-1}, log i_t). The states are `C`
    [batch, heads d^2], `n` [batch, units] and `m` [batch, heads].

    Args:
        units: number of units, a multiple of `heads`.
        heads: number of heads.
        chunk: number of steps that matrix products compute together. It does not change the results.
        **kwargs: arguments of `RecurrentLayer`.
    """

    cell_class = MLSTMCell

    def __init__(self, units: int, heads: int = 4, chunk: int = 32, **kwargs: Any):
        super().__init__(units, cell={"heads": heads, "chunk": chunk}, **kwargs)
