"""CTC by its definition: the sum over all paths through a few frames."""

import itertools

import numpy as np

from zoo.common.data.labels import BLANK_INDEX


def log_softmax(logits):
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def collapse(path):
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != BLANK_INDEX)


def labellings(logits):
    """Return {labelling: (log-probability, best path, its log-probability)} over all paths."""
    time_steps, symbols = logits.shape
    log_probs = log_softmax(np.asarray(logits, np.float64))
    found = {}
    for path in itertools.product(range(symbols), repeat=time_steps):
        score = sum(log_probs[frame, symbol] for frame, symbol in enumerate(path))
        total, best, best_score = found.get(collapse(path), (-np.inf, None, -np.inf))
        if score > best_score:
            best, best_score = path, score
        found[collapse(path)] = np.logaddexp(total, score), best, best_score
    return found


def log_likelihood(logits, labels):
    """Return ln p(labels) by the forward algorithm, for inputs with too many paths to enumerate."""
    states = np.full(2 * len(labels) + 1, BLANK_INDEX)
    states[1::2] = labels
    differs = (states[2:] != BLANK_INDEX) & (states[2:] != states[:-2])
    may_skip = np.append([False, False], differs)[: states.size]
    score = np.where(np.arange(states.size) == 0, 0.0, -np.inf)  # before the first frame
    for log_probs in log_softmax(np.asarray(logits, np.float64)):
        step = np.append(-np.inf, score[:-1])
        skip = np.append([-np.inf] * 2, score)[: states.size]
        skip = np.where(may_skip, skip, -np.inf)
        score = np.logaddexp.reduce([score, step, skip]) + log_probs[states]
    return np.logaddexp.reduce(score[-2:])
