"""Compute the probability of a labelling from all paths, by the CTC recursion and by the zoo's loss."""

from __future__ import annotations

import itertools

import numpy as np

# The blank is written as "-".
SYMBOLS = "-ab"


def collapse(path: str) -> str:
    """Return the labelling of a path: merge repeated symbols, then remove blanks."""
    return "".join(symbol for symbol, _ in itertools.groupby(path)).replace(SYMBOLS[0], "")


def all_paths(probabilities: np.ndarray) -> dict[str, float]:
    """Return the probability of each path: the product of the probabilities of its symbols.

    Args:
        probabilities: float64 [time, symbols].
    """
    paths = itertools.product(range(len(SYMBOLS)), repeat=len(probabilities))
    return {
        "".join(SYMBOLS[symbol] for symbol in path): float(
            np.prod([frame[symbol] for frame, symbol in zip(probabilities, path, strict=True)])
        )
        for path in paths
    }


def by_hand(probabilities: np.ndarray) -> dict[str, float]:
    """Return the probability of each labelling, the most likely first: the sum over its paths.

    Args:
        probabilities: float64 [time, symbols].
    """
    labellings: dict[str, float] = {}
    for path, probability in all_paths(probabilities).items():
        labelling = collapse(path)
        labellings[labelling] = labellings.get(labelling, 0.0) + probability
    return dict(sorted(labellings.items(), key=lambda item: -item[1]))


def by_recursion(probabilities: np.ndarray, labelling: str) -> tuple[float, np.ndarray]:
    """Return the probability of a labelling by the forward recursion (Graves et al. 2006, section 4.1).

    The states are the labelling with blanks before and after each label, such as "-a-b-". alpha(t, s)
    is the sum over all path prefixes that are in state s at frame t:

        alpha(t, s) = (alpha(t-1, s) + alpha(t-1, s-1) + alpha(t-1, s-2)) * y(t, symbol of s)

    where the last term is only added for a label that differs from the previous label.

    Args:
        probabilities: float64 [time, symbols].
        labelling: the labels, without blanks.

    Returns:
        The sum of the last two states at the last frame, and alpha, float64 [time, states].
    """
    states = extend(labelling)
    alpha = np.zeros((len(probabilities), len(states)))
    for t, frame in enumerate(probabilities):
        for s, symbol in enumerate(states):
            if t == 0:
                before = float(s < 2)
            else:
                before = alpha[t - 1, max(0, s - 1) : s + 1].sum()
                if may_skip(states, s):
                    before += alpha[t - 1, s - 2]
            alpha[t, s] = before * frame[SYMBOLS.index(symbol)]
    return float(alpha[-1, -2:].sum()), alpha


def extend(labelling: str) -> str:
    """Return the labelling with blanks before, between and after its labels."""
    blank = SYMBOLS[0]
    return blank + "".join(label + blank for label in labelling)


def may_skip(states: str, s: int) -> bool:
    """Return whether a path may enter state s from state s - 2, without the blank between them."""
    return s > 1 and states[s] not in (SYMBOLS[0], states[s - 2])


def by_loss(probabilities: np.ndarray, labelling: str) -> float:
    """Return the probability of a labelling by the zoo's CTC loss: exp(-loss), in float32.

    Args:
        probabilities: float64 [time, symbols].
        labelling: the labels, without blanks.
    """
    from zoo.common.ctc.loss import ctc_loss

    labels = np.array([[SYMBOLS.index(symbol) for symbol in labelling]], np.int32)
    logits = np.log(probabilities)[None].astype(np.float32)
    loss = ctc_loss(logits, np.array([len(probabilities)]), labels, np.array([len(labelling)]))
    return float(np.exp(-np.asarray(loss)[0]))
