"""The model that Keras `fit` trains: a network with the loss of a task, and carried states."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

from zoo.common.core.states import StateSpec, next_states
from zoo.common.core.task import Task
from zoo.common.training.parallel import ROW_WEIGHT

RESET = "reset_states"
ROW_LOSS = "row_loss"


class TrainingModel(keras.Model):
    """A network with the loss of a task.

    Args:
        network: model from the x of a batch to the outputs that the loss takes.
        task: provides the loss.
        states: states that are carried from each batch to the next; empty if batches are independent.
            The x of a batch then has `reset_states` bool [batch], True for rows that start a new
            sequence. Carried states are not weights of the network.
        batch_size: number of rows of carried states.
        weighs_rows: whether y has `ROW_WEIGHT`. `fit` then reports `ROW_LOSS`, the mean loss of the rows
            with weight, since its `loss` counts all rows.
    """

    def __init__(
        self,
        network: keras.Model,
        task: Task,
        states: tuple[StateSpec, ...] = (),
        batch_size: int = 0,
        weighs_rows: bool = False,
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
        self.row_loss = keras.metrics.Mean(name=ROW_LOSS) if weighs_rows else None
        self.built = True  # as the network is built

    def call(self, x: dict[str, Any], training: bool | None = None) -> dict[str, Any]:
        """Return the outputs of the network, and carry its states."""
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
        """Return the mean of the task's loss plus the losses of layers, such as regularizers.

        Rows are weighted by `ROW_WEIGHT` if y has it. On several replicas of TensorFlow it is the share
        of this replica.
        """
        y = dict(y)
        weight = y.pop(ROW_WEIGHT, None)
        losses = self.task.loss(y, y_pred)
        if weight is None:
            loss = ops.mean(losses) / _replicas()
        else:
            weight = ops.cast(weight, losses.dtype)
            # A row of weight 0 must not contribute, even if its loss is infinite.
            weighted = ops.where(weight > 0, losses * weight, ops.zeros_like(losses))
            loss = ops.sum(weighted) / ops.sum(weight)
        for added in self.losses:
            loss = loss + ops.cast(added, loss.dtype) / _replicas()
        if self.row_loss is not None:
            self.row_loss.update_state(ops.stop_gradient(loss), sample_weight=ops.sum(weight))
        return loss


def _replicas() -> int:
    if keras.config.backend() != "tensorflow":
        return 1
    import tensorflow as tf

    return tf.distribute.get_strategy().num_replicas_in_sync
