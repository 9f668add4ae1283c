"""The searches of `zoo.common.ctc.search` in a TensorFlow graph, for SavedModels."""

from __future__ import annotations

import tensorflow as tf

from zoo.common.data.labels import BLANK_INDEX


def greedy_search(
    logits: tf.Tensor, logit_lengths: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the labelling of the single most probable path: the best symbol of each frame.

    logits: float [batch, time, vocabulary_size], unnormalised.
    logit_lengths: int32 [batch], true frames of each row.

    Returns labels int32 [batch, max_labels] padded with `BLANK_INDEX`, their lengths int32 [batch],
    and the log probability of the path (not of the labelling) in nats, float32 [batch].
    """
    (decoded,), negative_sum = tf.nn.ctc_greedy_decoder(
        _time_major_log_probs(logits), tf.cast(logit_lengths, tf.int32), blank_index=BLANK_INDEX
    )
    return *_dense(decoded), -negative_sum[:, 0]


def beam_search(
    logits: tf.Tensor, logit_lengths: tf.Tensor, beam_width: int = 32
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """Return the most probable labelling that a prefix beam search finds.

    beam_width: int. Prefixes kept at each frame. Defaults to 32.

    The other arguments and the results are those of `greedy_search`, but the log probability is the
    labelling's: the sum over those of its paths that stayed in the beam.
    """
    # The kernel takes the last symbol for the blank.
    log_probs = tf.roll(_time_major_log_probs(logits), -1 - BLANK_INDEX, axis=2)
    (decoded,), log_probability = tf.nn.ctc_beam_search_decoder(
        log_probs, tf.cast(logit_lengths, tf.int32), beam_width=beam_width, top_paths=1
    )
    decoded = tf.SparseTensor(decoded.indices, decoded.values + 1, decoded.dense_shape)
    return *_dense(decoded), log_probability[:, 0]


def _time_major_log_probs(logits):
    return tf.transpose(tf.nn.log_softmax(tf.cast(logits, tf.float32)), [1, 0, 2])


def _dense(decoded):
    labels = tf.cast(tf.sparse.to_dense(decoded, default_value=BLANK_INDEX), tf.int32)
    return labels, tf.math.count_nonzero(labels != BLANK_INDEX, axis=1, dtype=tf.int32)
