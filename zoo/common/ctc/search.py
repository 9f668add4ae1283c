"""Greedy search and prefix beam search over the logits of a CTC model, in NumPy."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from zoo.common.data.labels import BLANK_INDEX
from zoo.common.decoding.generation import log_softmax


class Hypothesis(NamedTuple):
    """A result of a search.

    Args:
        labels: the labels, without blanks.
        log_probability: log-probability in nats.
    """

    labels: list[int]
    log_probability: float


def search(logits: np.ndarray, beam_width: int, n_best: int = 1) -> list[Hypothesis]:
    """Return the most probable labellings, the best first.

    Args:
        logits: float [time, vocabulary_size], unnormalized, without padding.
        beam_width: number of prefixes to keep at each frame; 1 selects `greedy_search`.
        n_best: maximum number of labellings to return.
    """
    if beam_width == 1:
        return [greedy_search(logits)]
    return beam_search(logits, beam_width, n_best)


def greedy_search(logits: np.ndarray) -> Hypothesis:
    """Return the labelling of the most probable path: the best symbol of each frame.

    Args:
        logits: float [time, vocabulary_size], unnormalized, without padding.

    Returns:
        The labels, and the log-probability of the path, not of the labelling.
    """
    log_probs = _log_softmax(logits)
    path = log_probs.argmax(axis=1)
    starts = np.concatenate([path[:1], path[1:][path[1:] != path[:-1]]])
    labels = starts[starts != BLANK_INDEX].tolist()
    return Hypothesis(labels, float(log_probs.max(axis=1).sum()))


def beam_search(logits: np.ndarray, beam_width: int, n_best: int = 1) -> list[Hypothesis]:
    """Return the most probable labellings of a prefix beam search (Graves 2012, section 7.5).

    For each prefix p, the probability of its paths that end in a blank and of its paths that end in its
    last label are updated at each frame t:

        blank'(p) = (blank(p) + label(p)) * y_t(blank)
        label'(p) = (label(p) + before(q, p)) * y_t(last label of p)    q: p without its last label
        before(q, p) = blank(q) if q and p end in the same label, otherwise blank(q) + label(q)

    Args:
        logits: float [time, vocabulary_size], unnormalized, without padding.
        beam_width: number of prefixes to keep at each frame.
        n_best: maximum number of labellings to return, the most probable first.

    Returns:
        Labellings, each with its log-probability: the sum over its paths in the beam.
    """
    prefixes = _Prefixes()
    nodes = np.array([prefixes.ROOT])
    blank, label = np.zeros(1), np.full(1, -np.inf)
    for log_probs in _log_softmax(logits):
        last, parents = prefixes.arrays(nodes)
        total = np.logaddexp(blank, label)
        # [prefix, symbol]: every prefix with one more label.
        longer = np.where(
            np.arange(log_probs.size) == last[:, None], blank[:, None], total[:, None]
        )
        longer[:, BLANK_INDEX] = -np.inf
        # If the longer prefix is already in the beam, add its paths there.
        child, parent = np.nonzero(parents[:, None] == nodes)
        label[child] = np.logaddexp(label[child], longer[parent, last[child]])
        longer[parent, last[child]] = -np.inf
        blank = total + log_probs[BLANK_INDEX]
        label = np.where(nodes == prefixes.ROOT, -np.inf, label + log_probs[last])
        longer += log_probs
        stay = np.logaddexp(blank, label)

        scores = np.concatenate([stay, longer.ravel()])
        kept = np.argsort(-scores, kind="stable")[:beam_width]
        kept = kept[scores[kept] > -np.inf]
        old, new = kept[kept < nodes.size], kept[kept >= nodes.size] - nodes.size
        parent, symbol = np.divmod(new, log_probs.size)
        grown = [prefixes.child(*pair) for pair in zip(nodes[parent], symbol, strict=True)]
        nodes = np.concatenate([nodes[old], np.array(grown, nodes.dtype)])
        blank = np.concatenate([blank[old], np.full(new.size, -np.inf)])
        label = np.concatenate([label[old], longer[parent, symbol]])
    total = np.logaddexp(blank, label)
    best = np.argsort(-total, kind="stable")[:n_best]
    return [Hypothesis(prefixes.labels(nodes[i]), float(total[i])) for i in best]


class _Prefixes:
    """A tree of prefixes. Each has a number, its last label and the number of its parent."""

    ROOT = 0

    def __init__(self) -> None:
        self._last, self._parent = [BLANK_INDEX], [-1]
        self._children: dict[tuple[int, int], int] = {}

    def child(self, node: int, label: int) -> int:
        key = (int(node), int(label))
        if key not in self._children:
            self._children[key] = len(self._last)
            self._last.append(key[1])
            self._parent.append(key[0])
        return self._children[key]

    def arrays(self, nodes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        last, parent = ([column[node] for node in nodes] for column in (self._last, self._parent))
        return np.array(last), np.array(parent)

    def labels(self, node: int) -> list[int]:
        labels = []
        while node != self.ROOT:
            labels.append(self._last[node])
            node = self._parent[node]
        return labels[::-1]


def _log_softmax(logits: np.ndarray) -> np.ndarray:
    return log_softmax(np.asarray(logits, np.float64), np)
