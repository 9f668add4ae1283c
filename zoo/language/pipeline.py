"""Batches for truncated back-propagation through time, and the states carried from one to the next."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from zoo.common.errors import ZooError


def bptt_batches(
    indices: np.ndarray, batch_size: int, time_steps: int, generator: np.random.Generator
) -> tf.data.Dataset:
    """One pass over a text, cut into `batch_size` rows that are read side by side.

    indices: int32 [tokens]. The text.
    generator: numpy Generator. Draws where the first row begins, within the first `time_steps` tokens,
        so that the cuts fall elsewhere in each pass.

    Gives (x, y, ids): x["tokens"] and y["targets"], the tokens that follow, int32 [batch_size,
    time_steps]; x["fresh"] bool [batch_size], whether a row begins here rather than goes on from the
    batch before; ids string [batch_size], the place in the text. Raises `ZooError` for a text too short.
    """
    begin = int(generator.integers(time_steps))
    steps = (len(indices) - 1 - begin) // (batch_size * time_steps)
    if steps < 1:
        raise ZooError(
            f"A text of {len(indices)} tokens is too short for batches of {batch_size} rows of "
            f"{time_steps} tokens: --set training.batch_size or task.time_steps to less."
        )
    used = batch_size * steps * time_steps

    def cut(array):
        rows = array.reshape(batch_size, steps, time_steps)
        return np.ascontiguousarray(rows.swapaxes(0, 1))

    first = cut(np.arange(begin, begin + used))[:, :, 0]
    batches = tf.data.Dataset.from_tensor_slices(
        (
            {
                "tokens": cut(indices[begin : begin + used]),
                "fresh": np.repeat(np.arange(steps)[:, np.newaxis] == 0, batch_size, axis=1),
            },
            {"targets": cut(indices[begin + 1 : begin + 1 + used])},
            np.char.add("token ", first.astype(str)).astype(bytes),
        )
    )
    return batches.prefetch(2)


class CarriedStates(keras.Model):
    """A model with explicit states, each batch going on from the states after the one before.

    network: keras.Model. Inputs `tokens` and states; outputs `logits` and, for each state, `next_` and
        its name.

    Its input is a batch's x (see `bptt_batches`). The states are no weights: every epoch begins anew.
    """

    def __init__(self, network: keras.Model):
        super().__init__()
        self.network = network
        # Of no fixed batch, which is known when the first one comes.
        self.states = {
            name: tf.Variable(
                np.zeros((0, tensor.shape[-1]), np.float32),
                shape=(None, tensor.shape[-1]),
                trainable=False,
            )
            for name, tensor in network.input.items()
            if name != "tokens"
        }
        self.built = True

    def call(self, x: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """The network's outputs."""
        batch_size, fresh = tf.shape(x["tokens"])[0], tf.reduce_any(x["fresh"])
        states = {}
        for name, variable in self.states.items():
            size = variable.shape[-1]
            zeros = tf.zeros((batch_size, size))
            state = tf.cond(fresh, lambda zeros=zeros: zeros, lambda kept=variable: kept.value())
            states[name] = tf.ensure_shape(state, (x["tokens"].shape[0], size))
        outputs = self.network({"tokens": x["tokens"], **states}, training=training)
        for name, variable in self.states.items():
            variable.assign(tf.stop_gradient(outputs[f"next_{name}"]))
        return outputs
