"""What Keras `fit` trains: a recipe's network with its task's loss, its states carried if need be."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from zoo.common.core.states import StateSpec, next_states
from zoo.common.core.task import Task

RESET = "reset_states"


class TrainingModel(keras.Model):
    """A network with a task's loss.

    network: keras.Model. From the x of a batch to the outputs the loss takes.
    states: StateSpecs that are carried from each batch to the next, of `batch_size` rows; none where
        batches stand by themselves. The x of a batch then has `reset_states` bool [batch], the rows
        that begin anew. The carried states are no weights of the model.
    """

    def __init__(
        self,
        network: keras.Model,
        task: Task,
        states: tuple[StateSpec, ...] = (),
        batch_size: int = 0,
    ):
        super().__init__()
        self.network = network
        self.task = task
        self.states = states
        self.carried = {
            spec.name: self.add_weight(
                shape=(batch_size, *spec.shape),
                dtype=spec.dtype,
                initializer=keras.initializers.Constant(spec.initial),
                trainable=False,
                name=f"carried_{spec.name}",
            )
            for spec in states
        }
        self.built = True  # the network is

    def call(self, x: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Return the network's outputs, and carry its states on."""
        if not self.states:
            return self.network(x, training=training)
        x = dict(x)
        reset = x.pop(RESET)
        for spec in self.states:
            rows = ops.reshape(reset, (-1, *[1] * len(spec.shape)))
            initial = ops.cast(spec.initial, spec.dtype)
            x[spec.name] = ops.where(rows, initial, self.carried[spec.name].value)
        outputs = self.network(x, training=training)
        for name, state in next_states(self.states, outputs).items():
            self.carried[name].assign(ops.stop_gradient(state))
        return outputs

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Return the mean of the task's loss, and what layers add to it, such as regularisers.

        Where a batch is divided over several devices it is this device's share.
        """
        loss = ops.mean(self.task.loss(y, y_pred)) / _replicas()
        for added in self.losses:
            loss = loss + ops.cast(added, loss.dtype) / _replicas()
        return loss


def _replicas() -> int:
    if keras.config.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync
