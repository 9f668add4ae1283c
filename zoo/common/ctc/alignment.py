"""Align labels with the frames of a CTC model, in NumPy."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.data.labels import BLANK_INDEX


def min_frames(labels: Sequence[int] | np.ndarray) -> int:
    """Return the minimum number of frames of a labelling.

    It is one frame per label, and one blank between equal neighbours. With fewer frames the loss is
    infinite.

    Args:
        labels: integers [labels], without padding.
    """
    labels = np.asarray(labels)
    return int(labels.size + np.count_nonzero(labels[1:] == labels[:-1]))


class Alignment(NamedTuple):
    """The frames of each label on a path.

    Args:
        first: int64 [labels], the first frame of each label.
        last: int64 [labels], the last frame of each label.
        spike: int64 [labels], the frame from `first` to `last` where the label is most probable.
        log_probability: log-probability of the whole path in nats.
    """

    first: np.ndarray
    last: np.ndarray
    spike: np.ndarray
    log_probability: float


def align(logits: np.ndarray, labels: Sequence[int] | np.ndarray) -> Alignment:
    """Return the most probable path that collapses to `labels` (Viterbi algorithm).

    Args:
        logits: float [time, vocabulary_size], unnormalized or log-probabilities, without padding.
        labels: integers [labels], without padding.

    Raises:
        ZooError: a label is not a symbol, or no path collapses to the labels.
    """
    logits = np.asarray(logits, np.float64)
    labels = np.asarray(labels, np.int64)
    time_steps, symbols = logits.shape
    if np.any((labels <= BLANK_INDEX) | (labels >= symbols)):
        raise ZooError(f"Labels must be in 1 .. {symbols - 1}. Received: {labels.tolist()}.")
    states = np.full(2 * labels.size + 1, BLANK_INDEX)  # blank, label, blank, label, ... blank
    states[1::2] = labels
    log_probs = (logits - np.logaddexp.reduce(logits, axis=1, keepdims=True))[:, states]
    may_skip = (states[2:] != BLANK_INDEX) & (states[2:] != states[:-2])

    score = np.full(states.size, -np.inf)
    score[0] = 0.0  # before the first frame, every path is in the state of the first blank
    arrivals = np.full((3, states.size), -np.inf)  # same state, previous state, skipped blank
    back = np.zeros((time_steps, states.size), np.int64)
    for frame in range(time_steps):
        arrivals[0] = score
        arrivals[1, 1:] = score[:-1]
        arrivals[2, 2:] = np.where(may_skip, score[:-2], -np.inf)
        back[frame] = arrivals.argmax(axis=0)
        score = arrivals.max(axis=0) + log_probs[frame]

    state = states.size - 2 + int(np.argmax(score[-2:])) if labels.size else 0
    log_probability = float(score[state])
    if not np.isfinite(log_probability):
        raise ZooError(
            f"No path collapses to the labels, which need {min_frames(labels)} frames of finite "
            f"log-probability. Received: {time_steps} frames."
        )
    path = np.zeros(time_steps, np.int64)
    for frame in reversed(range(time_steps)):
        path[frame] = state
        state -= back[frame, state]
    label_states = np.arange(1, states.size, 2)
    on_label = path[:, np.newaxis] == label_states
    return Alignment(
        first=on_label.argmax(axis=0),
        last=time_steps - 1 - on_label[::-1].argmax(axis=0),
        spike=np.where(on_label, log_probs[:, label_states], -np.inf).argmax(axis=0),
        log_probability=log_probability,
    )
