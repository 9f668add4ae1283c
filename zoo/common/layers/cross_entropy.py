"""Cross-entropy over a vocabulary, from logits to loss and back.

Where it is computed by single operations it costs as much as a product of matrices: each one reads and
writes all logits. On TensorFlow XLA makes one function of the way forward and one of the way back; they
keep nothing but the logits. Each compiles once for a shape.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

if keras.config.backend() == "tensorflow":
    import tensorflow as tf


def cross_entropy(logits: Any, targets: Any) -> Any:
    """Return -log p(target), in nats: log(the sum of exp(o_v) over all words v) - o_target.

    Args:
        logits: o, float [..., vocabulary_size], unnormalised; computed in float32 whatever their type.
        targets: int [...], each below `vocabulary_size`.

    Returns:
        float32 [...].
    """
    logits = ops.cast(logits, "float32")
    if keras.config.backend() != "tensorflow":
        return ops.sparse_categorical_crossentropy(targets, logits, from_logits=True)
    rows = tf.reshape(logits, (-1, logits.shape[-1]))
    return tf.reshape(_of_rows(rows, tf.reshape(targets, (-1,))), tf.shape(targets))


if keras.config.backend() == "tensorflow":

    @tf.custom_gradient
    def _of_rows(logits, targets):
        """`cross_entropy` of [rows, vocabulary_size] and int [rows]."""
        # Without gradients of their own, tapes stay out of the compiled functions.
        loss = _forward(tf.stop_gradient(logits), targets)
        return loss, lambda upstream: (_backward(logits, targets, upstream), None)

    @tf.function(jit_compile=True, autograph=False)
    def _forward(logits, targets):
        return tf.reduce_logsumexp(logits, axis=1) - tf.gather(logits, targets, batch_dims=1)

    @tf.function(jit_compile=True, autograph=False)
    def _backward(logits, targets, upstream):
        of_target = tf.one_hot(targets, logits.shape[1])
        return (tf.nn.softmax(logits) - of_target) * upstream[:, tf.newaxis]
