"""Cross-entropy over a vocabulary and its gradient.

With single operations, it is as slow as a product of matrices, because each operation reads and writes
all logits. On TensorFlow, XLA compiles the loss and the gradient to one function each, which keep only
the logits in memory. Each is compiled once per shape.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

if keras.config.backend() == "tensorflow":
    import tensorflow as tf


def cross_entropy(logits: Any, targets: Any, label_smoothing: float = 0.0) -> Any:
    """Return -(1 - s) log p(target) - s (the mean of log p(v) over all words v), in nats.

    Args:
        logits: float [..., vocabulary_size], unnormalized. They are converted to float32.
        targets: int [...], below `vocabulary_size`.
        label_smoothing: s, the share of the probability of the target that is distributed over the
            vocabulary (Szegedy et al., "Rethinking the Inception architecture", 2016, section 7).

    Returns:
        float32 [...].
    """
    logits = ops.cast(logits, "float32")
    if keras.config.backend() != "tensorflow":
        losses = ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)
        if not label_smoothing:
            return losses
        means = -ops.mean(ops.log_softmax(logits), axis=-1)
        return (1 - label_smoothing) * losses + label_smoothing * means
    rows = tf.reshape(logits, (-1, logits.shape[-1]))
    losses = _row_losses(rows, tf.reshape(targets, (-1,)), label_smoothing)
    return tf.reshape(losses, tf.shape(targets))


if keras.config.backend() == "tensorflow":

    def _row_losses(logits, targets, smoothing):
        """Return the `cross_entropy` of logits [rows, vocabulary_size] and targets int [rows]."""

        @tf.custom_gradient
        def losses(logits):
            # Without `stop_gradient`, gradient tapes would record the compiled functions.
            loss = _forward(tf.stop_gradient(logits), targets, smoothing)
            return loss, lambda upstream: _backward(logits, targets, upstream, smoothing)

        return losses(logits)

    @tf.function(jit_compile=True, autograph=False)
    def _forward(logits, targets, smoothing):
        # log p(v) = o_v - log(sum of exp(o))
        of_target = (1 - smoothing) * tf.gather(logits, targets, batch_dims=1)
        if smoothing:
            of_target += smoothing * tf.reduce_mean(logits, axis=1)
        return tf.reduce_logsumexp(logits, axis=1) - of_target

    @tf.function(jit_compile=True, autograph=False)
    def _backward(logits, targets, upstream, smoothing):
        words = logits.shape[1]
        wanted = (1 - smoothing) * tf.one_hot(targets, words) + smoothing / words
        return (tf.nn.softmax(logits) - wanted) * upstream[:, tf.newaxis]
