"""The search of `zoo.common.ctc.search` in a TensorFlow graph, for SavedModels."""

from __future__ import annotations

import tensorflow as tf

from zoo.common.data.labels import BLANK_INDEX


def greedy_search(
    logits: tf.Tensor, logit_lengths: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the labelling of the most probable path: the best symbol of each frame.

    Args:
        logits: float [batch, time, vocabulary_size], unnormalized.
        logit_lengths: int32 [batch], the number of frames of each row without padding.

    Returns:
        The labels int32 [batch, max_labels], padded with `BLANK_INDEX`; their lengths int32 [batch]; and
        the log-probability in nats of the path, not of the labelling, float32 [batch].
    """
    (decoded,), negative_sum = tf.nn.ctc_greedy_decoder(
        _time_major_log_probs(logits), tf.cast(logit_lengths, tf.int32), blank_index=BLANK_INDEX
    )
    return *_dense(decoded), -negative_sum[:, 0]


def beam_search(
    logits: tf.Tensor, logit_lengths: tf.Tensor, beam_width: int = 32
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the most probable labelling of a prefix beam search.

    Args:
        logits: float [batch, time, vocabulary_size], unnormalized.
        logit_lengths: int32 [batch], the number of frames of each row without padding.
        beam_width: number of prefixes to keep at each frame.

    Returns:
        The labels int32 [batch, max_labels], padded with `BLANK_INDEX`; their lengths int32 [batch]; and
        the log-probability in nats of the labelling, float32 [batch]: the sum over its paths in the
        beam.
    """
    # The blank of the TensorFlow operation is the last symbol.
    log_probs = tf.roll(_time_major_log_probs(logits), -1 - BLANK_INDEX, axis=2)
    (decoded,), log_probability = tf.nn.ctc_beam_search_decoder(
        log_probs, tf.cast(logit_lengths, tf.int32), beam_width=beam_width, top_paths=1
    )
    decoded = tf.SparseTensor(decoded.indices, decoded.values + 1, decoded.dense_shape)
    return *_dense(decoded), log_probability[:, 0]


def _time_major_log_probs(logits: tf.Tensor) -> tf.Tensor:
    return tf.transpose(tf.nn.log_softmax(tf.cast(logits, tf.float32)), [1, 0, 2])


def _dense(decoded: tf.SparseTensor) -> tuple[tf.Tensor, tf.Tensor]:
    labels = tf.cast(tf.sparse.to_dense(decoded, default_value=BLANK_INDEX), tf.int32)
    return labels, tf.math.count_nonzero(labels != BLANK_INDEX, axis=1, dtype=tf.int32)
