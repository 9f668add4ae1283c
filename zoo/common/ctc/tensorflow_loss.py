"""The CTC loss on TensorFlow, compiled by XLA. `zoo.common.ctc.loss` selects the backend."""

import numpy as np
import tensorflow as tf

from zoo.common.core.errors import ZooError
from zoo.common.data.labels import BLANK_INDEX

# Finite logarithm of 0: the difference between two impossible states is 0 instead of NaN.
_LOG_ZERO = -1e30

# XLA compiles again for every shape, so the loss pads time and labels to multiples of these.
_TIME_BUCKET = 64
_LABEL_BUCKET = 32


def ctc_loss(
    logits: tf.Tensor, logit_lengths: tf.Tensor, labels: tf.Tensor, label_lengths: tf.Tensor
) -> tf.Tensor:
    """Return -ln p(labels | logits) of each row, in nats.

    Padding has no effect, even if it is NaN, and its gradient is 0. If no path collapses to the labels,
    the loss is infinite and the gradient is 0. This is the case if there are fewer frames than
    `zoo.common.ctc.alignment.min_frames`, or if the labels contain a blank or an unknown symbol. Filter
    such rows before training.

    The values are those of `tf.nn.ctc_loss`, with smaller rounding errors. The function can be called
    eagerly, in a graph with unknown shapes, and in a function that XLA compiles.

    Args:
        logits: float [batch, time, vocabulary_size], unnormalized. They are converted to float32.
        logit_lengths: int32 [batch], the number of frames of each row without padding.
        labels: int32 [batch, max_labels], padded with `BLANK_INDEX`.
        label_lengths: int32 [batch], the number of labels of each row without padding. With 0, all
            frames are blanks.

    Returns:
        float32 [batch].

    Raises:
        ZooError: a second derivative is requested.
    """
    label_lengths = tf.cast(label_lengths, tf.int32)
    known = tf.sequence_mask(label_lengths, tf.shape(labels)[1])
    labels = tf.where(known, tf.cast(labels, tf.int32), BLANK_INDEX)
    lengths = tf.minimum(tf.cast(logit_lengths, tf.int32), tf.shape(logits)[1])
    return _loss(tf.cast(logits, tf.float32), lengths, labels, label_lengths)


@tf.custom_gradient
def _loss(logits, logit_lengths, labels, label_lengths):
    time_steps, symbols = tf.shape(logits)[1], tf.shape(logits)[2]
    # Without `stop_gradient`, gradient tapes would record the XLA functions.
    log_probs = tf.nn.log_softmax(tf.stop_gradient(logits))
    padded_log_probs = tf.pad(log_probs, [[0, 0], [0, -time_steps % _TIME_BUCKET], [0, 0]])
    # At least one column is padding: the last column is the blank in all lookups of labels.
    padding = _LABEL_BUCKET - tf.shape(labels)[1] % _LABEL_BUCKET
    labels = tf.pad(labels, [[0, 0], [0, padding]], constant_values=BLANK_INDEX)
    log_probability, *shares = _forward(padded_log_probs, logit_lengths, labels, label_lengths)
    impossible = log_probability < _LOG_ZERO / 2

    def gradient(upstream):
        occupancy = _backward(*shares, logit_lengths, labels, label_lengths)[:, :time_steps]
        expected = tf.matmul(occupancy, tf.one_hot(labels, symbols))
        slope = (tf.exp(log_probs) - expected) * upstream[:, tf.newaxis, tf.newaxis]
        counted = tf.sequence_mask(tf.where(impossible, 0, logit_lengths), time_steps)
        slope = tf.where(counted[..., tf.newaxis], slope, 0.0)
        return _first_derivative(slope, logits), None, None, None

    return tf.where(impossible, np.inf, -log_probability), gradient


@tf.custom_gradient
def _first_derivative(slope, logits):
    def gradient(_):
        raise ZooError(
            "ctc_loss supports first derivatives only. Received: a request for a second derivative."
        )

    del logits  # the argument makes a second derivative with respect to logits raise an error
    return tf.identity(slope), gradient


# The states of a path are pairs, [batch, max_labels]: blank i, which precedes label i, and label i. The
# predecessors of blank i are blank i and label i - 1. The predecessors of label i are label i, blank i
# and, if the two labels differ, label i - 1. XLA compiles both recursions, so that each frame is a few
# vectorized loops over the whole batch. They stop after the frames of the longest row.


@tf.function(jit_compile=True, reduce_retracing=True)
def _forward(log_probs, logit_lengths, labels, label_lengths):
    """Return ln p(labels) and, for `_backward`, the shares of the predecessors of each state.

    Let a(s) be the log-probability of all path prefixes that end in state s at frame t - 1, and let +
    be the addition of probabilities. At frame t:

        into_i = a(blank i) + a(label i-1)
        a'(blank i) = into_i * y_t(blank)
        a'(label i) = (a(label i) + (into_i if labels i-1 and i differ, else a(blank i))) * y_t(i)

    The best state of each frame is scaled to 1, so that float32 remains exact for long rows.
    """
    usable = (labels > BLANK_INDEX) & (labels < tf.shape(log_probs)[2])
    log_probs = tf.gather(log_probs, labels, axis=2, batch_dims=1)
    log_probs = tf.transpose(tf.maximum(log_probs, _LOG_ZERO), [1, 0, 2])
    time_steps, batch, width = tf.unstack(tf.shape(log_probs))
    emissions = _frames(time_steps).unstack(log_probs)
    may_skip = _differs_from_previous(labels)

    def step(frame, blank, label, scales, from_previous, from_itself):
        emission = emissions.read(frame)
        into, previous_share = _log_add(_shift_right(label, _LOG_ZERO), blank)
        label_sum, own_share = _log_add(label, tf.where(may_skip, into, blank))
        next_blank = into + emission[:, -1:]
        next_label = label_sum + tf.where(usable, emission, _LOG_ZERO)
        scale = tf.reduce_max(tf.maximum(next_blank, next_label), axis=1, keepdims=True)
        running = (frame < logit_lengths)[:, tf.newaxis]
        return (
            frame + 1,
            tf.where(running, next_blank - scale, blank),
            tf.where(running, next_label - scale, label),
            scales.write(frame, tf.where(running, scale, 0.0)),
            from_previous.write(frame, previous_share),
            from_itself.write(frame, own_share),
        )

    nowhere = tf.fill([batch, width], _LOG_ZERO)
    start = tf.concat([tf.zeros([batch, 1]), nowhere[:, 1:]], axis=1)
    arrays = [_frames(time_steps) for _ in range(3)]
    longest = tf.reduce_max(logit_lengths)
    _, blank, label, scales, from_previous, from_itself = tf.while_loop(
        lambda frame, *_: frame < longest,
        step,
        (0, start, nowhere, *arrays),
        maximum_iterations=time_steps,
    )
    last_blank = tf.gather(blank, label_lengths, batch_dims=1)
    last_label = tf.gather(_shift_right(label, _LOG_ZERO), label_lengths, batch_dims=1)
    end, label_share = _log_add(last_label, last_blank)
    log_probability = end + tf.reduce_sum(scales.stack(), axis=[0, 2])
    return log_probability, from_previous.stack(), from_itself.stack(), label_share


@tf.function(jit_compile=True, reduce_retracing=True)
def _backward(from_previous, from_itself, label_share, logit_lengths, labels, label_lengths):
    """Return p(label i at frame t | labels), float32 [batch, time, max_labels].

    The last column is the probability of all blanks. The recursion starts from the shares of all paths
    in the two last states, and distributes the share of each state over its predecessors as computed by
    `_forward`. All values are probabilities, so nothing can overflow.
    """
    time_steps, _, width = tf.unstack(tf.shape(from_previous))
    from_previous = _frames(time_steps).unstack(from_previous)
    from_itself = _frames(time_steps).unstack(from_itself)
    may_skip = _differs_from_previous(labels)

    def step(frame, blank, label, occupancy):
        running = (frame < logit_lengths)[:, tf.newaxis]
        stay = label * from_itself.read(frame)
        move = label - stay
        back = (blank + tf.where(may_skip, move, 0.0)) * from_previous.read(frame)
        return (
            frame - 1,
            tf.where(running, blank + move - back, blank),
            tf.where(running, stay + _shift_left(back), label),
            occupancy.write(frame, tf.where(running, label, 0.0)),
        )

    last_blank = tf.one_hot(label_lengths, width) * (1.0 - label_share)[:, tf.newaxis]
    last_label = tf.one_hot(label_lengths - 1, width) * label_share[:, tf.newaxis]
    *_, occupancy = tf.while_loop(
        lambda frame, *_: frame >= 0,
        step,
        (tf.reduce_max(logit_lengths) - 1, last_blank, last_label, _frames(time_steps)),
        maximum_iterations=time_steps,
    )
    occupancy = tf.transpose(occupancy.stack(), [1, 0, 2])
    blanks = 1.0 - tf.reduce_sum(occupancy, axis=2, keepdims=True)
    return tf.concat([occupancy[:, :, :-1], blanks], axis=2)


def _log_add(a, b):
    """Return ln(e^a + e^b) and the share e^a / (e^a + e^b)."""
    ratio = tf.exp(-tf.abs(a - b))
    return tf.maximum(a, b) + tf.math.log1p(ratio), tf.where(a > b, 1.0, ratio) / (1.0 + ratio)


def _differs_from_previous(labels):
    return labels != _shift_right(labels, BLANK_INDEX)


def _shift_right(states, fill):
    return tf.pad(states[:, :-1], [[0, 0], [1, 0]], constant_values=fill)


def _shift_left(states):
    return tf.pad(states[:, 1:], [[0, 0], [0, 1]])


def _frames(time_steps):
    return tf.TensorArray(tf.float32, size=time_steps, element_shape=[None, None])
