"""Connectionist temporal classification: its loss, its two decoders and its alignment.

Every CTC model of the zoo uses this module, and `BLANK_INDEX` is the one place that says which
symbol is the blank. Graves, Fernandez, Gomez and Schmidhuber, "Connectionist Temporal
Classification", ICML 2006.
"""

from typing import NamedTuple

import numpy as np
import tensorflow as tf

from zoo.common.errors import ZooError

# The blank, and the padding of label rows: a row's labels are 1 .. symbols - 1.
BLANK_INDEX = 0


def ctc_loss(logits, logit_lengths, labels, label_lengths):
    """Return -ln p(labels | logits) of each utterance, float32 [batch]."""
    return tf.nn.ctc_loss(
        labels=tf.cast(labels, tf.int32),
        logits=tf.cast(logits, tf.float32),
        label_length=tf.cast(label_lengths, tf.int32),
        logit_length=tf.cast(logit_lengths, tf.int32),
        logits_time_major=False,
        blank_index=BLANK_INDEX,
    )


def min_frames(labels) -> int:
    """Return the frames a label sequence needs: one a label, and a blank between equal neighbours.

    labels: integers [labels], without padding. `ctc_loss` is infinite on fewer frames.
    """
    labels = np.asarray(labels)
    return int(labels.size + np.count_nonzero(labels[1:] == labels[:-1]))


def greedy_decode(logits, logit_lengths):
    """Return the labelling of the single best path: best symbol of each frame, collapsed.

    logits: float [batch, time, symbols], unnormalised.
    logit_lengths: int32 [batch], true frames of each row; frames after them are not read.

    Returns labels int32 [batch, max_labels] padded with `BLANK_INDEX`, their lengths int32 [batch],
    and the log probability of the path (not of the labelling), float32 [batch], in nats.
    """
    decoded, negative_sum = tf.nn.ctc_greedy_decoder(
        _time_major_log_probs(logits), tf.cast(logit_lengths, tf.int32), blank_index=BLANK_INDEX
    )
    return *_dense_labels(decoded[0]), -negative_sum[:, 0]


def beam_decode(logits, logit_lengths, beam_width: int = 100):
    """Return the most probable labelling found by prefix beam search.

    Arguments and results are those of `greedy_decode`, but the log probability is that of the
    labelling: the sum over those of its paths that stayed in the beam.
    """
    log_probs = _time_major_log_probs(logits)
    decoded, log_probability = tf.nn.ctc_beam_search_decoder(
        tf.roll(log_probs, -1, axis=2),  # the kernel takes the last symbol for the blank
        tf.cast(logit_lengths, tf.int32),
        beam_width=beam_width,
        top_paths=1,
    )
    best = decoded[0]
    best = tf.SparseTensor(best.indices, best.values + 1, best.dense_shape)
    return *_dense_labels(best), log_probability[:, 0]


def _time_major_log_probs(logits):
    return tf.transpose(tf.nn.log_softmax(tf.cast(logits, tf.float32)), [1, 0, 2])


def _dense_labels(sparse):
    labels = tf.cast(tf.sparse.to_dense(sparse, default_value=BLANK_INDEX), tf.int32)
    return labels, tf.math.count_nonzero(labels != BLANK_INDEX, axis=1, dtype=tf.int32)


class Alignment(NamedTuple):
    """Where each label lies on the best path: frame numbers, int64 [labels]."""

    first: np.ndarray
    last: np.ndarray
    spike: np.ndarray  # the frame between them where the label's posterior is highest
    log_probability: float  # of the path, in nats


def align(logits, labels) -> Alignment:
    """Return the most probable path that collapses to `labels` (Viterbi).

    logits: float [time, symbols], unnormalised or log probabilities, without padded frames.
    labels: integers [labels], none of them `BLANK_INDEX`.

    Raises ZooError where the labels are no symbols or need more frames than there are.
    """
    logits = np.asarray(logits, np.float64)
    labels = np.asarray(labels, np.int64)
    frames, symbols = logits.shape
    if labels.size and not (labels.min() > 0 and labels.max() < symbols):
        raise ZooError(
            f"Labels to align must lie between 1 and {symbols - 1}. Received: {labels.tolist()}."
        )
    if frames < min_frames(labels):
        raise ZooError(
            f"The labels need at least {min_frames(labels)} frames to be aligned. "
            f"Received: {frames} frames."
        )
    log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    # States: blank, label 0, blank, label 1, ... blank. A path may skip a blank between two
    # different labels.
    states = np.full(2 * labels.size + 1, BLANK_INDEX)
    states[1::2] = labels
    emissions = log_probs[:, states]
    no_skip = np.where((states[2:] != BLANK_INDEX) & (states[2:] != states[:-2]), 0.0, -np.inf)
    score = np.full(states.size, -np.inf)
    score[0] = 0.0  # before the first frame a path stands, as it were, on the first blank
    moves = np.full((3, states.size), -np.inf)
    back = np.zeros((frames, states.size), np.int64)
    for frame in range(frames):
        moves[0] = score
        moves[1, 1:] = score[:-1]
        moves[2, 2:] = score[:-2] + no_skip
        back[frame] = moves.argmax(axis=0)
        score = moves.max(axis=0) + emissions[frame]
    state = states.size - 1
    if labels.size and score[-2] > score[-1]:
        state -= 1
    log_probability = float(score[state])
    path = np.zeros(frames, np.int64)
    for frame in reversed(range(frames)):
        path[frame] = state
        state -= back[frame, state]
    label_states = np.arange(1, states.size, 2)
    first = np.searchsorted(path, label_states, side="left")
    last = np.searchsorted(path, label_states, side="right") - 1
    spike = [
        start + np.argmax(emissions[start : stop + 1, state])
        for start, stop, state in zip(first, last, label_states, strict=True)
    ]
    return Alignment(first, last, np.array(spike, np.int64), log_probability)
