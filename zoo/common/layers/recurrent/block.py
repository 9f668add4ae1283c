"""A residual block around a recurrent layer, the same for all recurrent layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

from zoo.common.core.errors import ZooError, check_range
from zoo.common.layers.recurrent.base import register


@register
class RecurrentBlock(keras.layers.Layer):
    """A recurrent layer with the other layers that the papers on its successors put around it.

        x = x + recurrence(convolution(norm(x))) P
        x = x + (silu(g) * v) W,  [g, v] = norm(x) V

    `convolution` is causal and has a filter for each feature (Gu & Dao 2023 and De et al. 2024, section
    2.3, have the same). The last line is a gated feed-forward layer (Shazeer 2020). Dropout is applied
    to both terms that are added to x, to the same features at all steps.

    Inputs are float [batch, time, features], and so are the outputs. With `return_state`, the states
    follow: `past` [batch, (kernel_size - 1) features], the last inputs of the convolution, and those of
    the recurrent layer.

    Args:
        recurrence: a recurrent layer that returns sequences, or `Bidirectional` around one. The block
            uses a copy with new weights.
        kernel_size: number of steps that the convolution reads.
        expansion: width of the feed-forward layer, divided by the number of features.
        dropout: dropout rate.
        return_state: whether to return the states.
        **kwargs: arguments of `keras.layers.Layer`.
    """

    def __init__(
        self,
        recurrence: keras.layers.Layer,
        kernel_size: int = 4,
        expansion: float = 2.0,
        dropout: float = 0.0,
        return_state: bool = False,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        check_range("kernel_size", kernel_size, at_least=1)
        check_range("expansion", expansion, above=0)
        check_range("dropout", dropout, at_least=0, below=1)
        self.kernel_size, self.expansion = kernel_size, expansion
        self.dropout, self.return_state = dropout, return_state
        config = keras.saving.serialize_keras_object(recurrence)
        if "layer" in config["config"]:  # Bidirectional
            if return_state:
                raise ZooError(
                    "The layer of a block with return_state must have one direction. "
                    "Received: Bidirectional."
                )
            config["config"]["layer"]["config"]["return_sequences"] = True
            config["config"]["backward_layer"]["config"]["return_sequences"] = True
        else:
            config["config"] |= {"return_sequences": True, "return_state": True}
        self.recurrence = keras.saving.deserialize_keras_object(config)
        shared = {"dtype": self.dtype_policy}
        self.norms = [layers.LayerNormalization(name=f"norm{i}", **shared) for i in range(2)]
        self.dropouts = [layers.SpatialDropout1D(dropout, name=f"dropout{i}") for i in range(2)]
        self.supports_masking = True

    def build(self, sequences_shape: Any, initial_state_shape: Any = None) -> None:
        features = sequences_shape[-1]
        hidden = round(self.expansion * features)
        self.filters = self.add_weight(
            (self.kernel_size, features), self._start_filters, name="filters"
        )
        self.filter_bias = self.add_weight((features,), "zeros", name="filter_bias")
        shared = {"use_bias": False, "dtype": self.dtype_policy}
        self.projection = layers.Dense(features, name="projection", **shared)
        self.gates = layers.Dense(2 * hidden, name="gates", **shared)
        self.output_layer = layers.Dense(features, name="output_layer", **shared)
        for norm in self.norms:
            norm.build(sequences_shape)
        self.recurrence.build(sequences_shape)
        output = self.recurrence.compute_output_shape(sequences_shape)
        output = output[0] if isinstance(output[0], (tuple, list)) else output
        self.projection.build(output)
        self.gates.build(sequences_shape)
        self.output_layer.build((*sequences_shape[:-1], hidden))

    def call(
        self, sequences: Any, initial_state: Any = None, mask: Any = None, training: bool = False
    ) -> Any:
        if mask is not None and self.return_state:
            raise ZooError(
                "RecurrentBlock must have no mask with return_state=True. Received: a mask."
            )
        past, *states = initial_state or [None]
        inner, past = self._convolve(self.norms[0](sequences), past, mask)
        inner = self.recurrence(inner, mask=mask, training=training, initial_state=states or None)
        if isinstance(inner, (list, tuple)):
            inner, *states = inner
        x = sequences + self.dropouts[0](self.projection(inner), training=training)
        gate, value = ops.split(self.gates(self.norms[1](x)), 2, axis=-1)
        forward = self.output_layer(gate * ops.sigmoid(gate) * value)
        x = x + self.dropouts[1](forward, training=training)
        return (x, past, *states) if self.return_state else x

    def _convolve(self, x: Any, past: Any, mask: Any) -> tuple[Any, Any]:
        """Return the convolution over time, and the inputs that the next step reads."""
        if mask is not None:
            x = ops.where(ops.expand_dims(mask, -1), x, ops.zeros_like(x))
        steps, features = self.kernel_size - 1, self.filters.shape[1]
        if past is None:
            before = [ops.zeros_like(x[:, :1])] * steps
        else:
            before = [ops.reshape(ops.cast(past, x.dtype), (-1, steps, features))]
        padded = ops.concatenate([*before, x], axis=1)
        # Sums of products, which a CPU computes faster than a convolution with a filter per feature.
        result = x * self.filters[steps] + self.filter_bias
        for k in range(steps):
            result = result + padded[:, k : k - steps] * self.filters[k]
        last = padded[:, -steps:] if steps else padded[:, :0]
        return result, ops.reshape(last, (-1, steps * features))

    def _start_filters(self, shape: Sequence[int], dtype: Any = None) -> Any:
        limit = self.kernel_size**-0.5
        return keras.random.uniform(shape, -limit, limit, dtype)

    def compute_output_shape(self, sequences_shape: Any, initial_state_shape: Any = None) -> Any:
        if not self.return_state:
            return tuple(sequences_shape)
        _, *states = self.recurrence.compute_output_shape(sequences_shape)
        past = (sequences_shape[0], (self.kernel_size - 1) * sequences_shape[-1])
        return (tuple(sequences_shape), past, *states)

    def get_config(self) -> dict[str, Any]:
        return {
            **super().get_config(),
            "recurrence": keras.saving.serialize_keras_object(self.recurrence),
            "kernel_size": self.kernel_size,
            "expansion": self.expansion,
            "dropout": self.dropout,
            "return_state": self.return_state,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> RecurrentBlock:
        recurrence = keras.saving.deserialize_keras_object(config["recurrence"])
        return cls(**{**config, "recurrence": recurrence})
