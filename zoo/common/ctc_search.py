"""The decoders of connectionist temporal classification in NumPy, for runtimes beside TensorFlow.

They find what `zoo.common.ctc` finds inside a graph: the same labels, and log probabilities that
differ in rounding alone. `BLANK_INDEX` is the one place that says which symbol is the blank.
"""

from __future__ import annotations

import numpy as np

from zoo.common.decoding import log_softmax

# The blank, and the padding of label rows: a row's labels are 1 .. symbols - 1.
BLANK_INDEX = 0


def greedy_search(logits: np.ndarray) -> tuple[list[int], float]:
    """Return the labelling of the single most probable path: the best symbol of each frame.

    logits: float [time, symbols], unnormalised, true frames only.

    Returns the labels, and the log probability of the path (not of the labelling) in nats.
    """
    log_probs = _log_softmax(logits)
    path = log_probs.argmax(axis=1)
    starts = np.concatenate([path[:1], path[1:][path[1:] != path[:-1]]])
    return starts[starts != BLANK_INDEX].tolist(), float(log_probs.max(axis=1).sum())


def beam_search(logits: np.ndarray, beam_width: int) -> tuple[list[int], float]:
    """Return the most probable labelling that a prefix beam search finds (Graves 2012, 7.5).

    logits: float [time, symbols], unnormalised, true frames only.
    beam_width: int. Prefixes kept at each frame.

    Returns the labels, and the log probability of the labelling in nats: the sum over those of its
    paths that stayed in the beam.

    Of each prefix the paths that end in a blank and those that end in its last label are kept apart:

        blank'(p) = (blank(p) + label(p)) * y_t(blank)
        label'(p) = (label(p) + before(q, p)) * y_t(last label of p)    q: p without its last label
        before(q, p) = blank(q) + label(q), or blank(q) alone where q and p end in the same label
    """
    prefixes = _Prefixes()
    nodes = np.array([prefixes.ROOT])
    blank, label = np.zeros(1), np.full(1, -np.inf)
    for log_probs in _log_softmax(logits):
        last, parents = prefixes.arrays(nodes)
        total = np.logaddexp(blank, label)
        # [prefix, symbol]: every prefix with one label more.
        longer = np.where(
            np.arange(log_probs.size) == last[:, None], blank[:, None], total[:, None]
        )
        longer[:, BLANK_INDEX] = -np.inf
        # Where that is a prefix of the beam already, its paths are added to those.
        child, parent = np.nonzero(parents[:, None] == nodes)
        label[child] = np.logaddexp(label[child], longer[parent, last[child]])
        longer[parent, last[child]] = -np.inf
        blank = total + log_probs[BLANK_INDEX]
        label = np.where(nodes == prefixes.ROOT, -np.inf, label + log_probs[last])
        longer += log_probs
        stay = np.logaddexp(blank, label)
        _give_up_crowded_out(longer, stay, total, child, parent, last, beam_width)

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
    best = int(total.argmax())
    return prefixes.labels(nodes[best]), float(total[best])


def _give_up_crowded_out(longer, stay, total, child, parent, last, beam_width: int) -> None:
    """Drop the children, in `longer`, of prefixes that TensorFlow's kernel does not lengthen either.

    The kernel lengthens prefixes from the most probable on, into a queue of `beam_width`. Where a
    prefix has been crowded out of the queue before it, and its parent, which comes earlier, would
    make it anew, the kernel forgets the prefix before its turn to be lengthened comes.
    """
    turn = np.argsort(np.argsort(-total, kind="stable"), kind="stable")
    later = (turn[parent] < turn[child]) & (stay[child] < _nth_best(stay, longer, beam_width))
    child, parent = child[later], parent[later]
    order = (turn[:, None], np.arange(longer.shape[1]))
    for j, i in sorted(zip(child, parent, strict=True), key=lambda k: (turn[k[1]], last[k[0]])):
        before = (order[0] < turn[i]) | ((order[0] == turn[i]) & (order[1] < last[j]))
        better = np.count_nonzero(stay > stay[j]) + np.count_nonzero(longer[before] > stay[j])
        if better >= beam_width:
            longer[j] = -np.inf


def _nth_best(stay: np.ndarray, longer: np.ndarray, n: int) -> float:
    scores = np.concatenate([stay, longer.ravel()])
    return np.partition(scores, -n)[-n] if n <= scores.size else -np.inf


class _Prefixes:
    """Prefixes met so far as a tree: a number each, with its last label and its parent's number."""

    ROOT = 0

    def __init__(self):
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
