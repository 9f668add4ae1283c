"""The decoders in NumPy: exact on small cases, and what TensorFlow's kernels find on large ones."""

import itertools

import numpy as np
import pytest

from zoo.common.ctc import beam_decode, greedy_decode
from zoo.common.ctc_search import BLANK_INDEX, beam_search, greedy_search


def random_logits(seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    shape = (generator.integers(1, 40), generator.integers(2, 12))
    return generator.normal(0, generator.choice([0.5, 2, 5]), shape).astype(np.float32)


def by_all_paths(logits: np.ndarray) -> dict[tuple[int, ...], float]:
    """ln p of every labelling, by adding up all its paths."""
    log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    found: dict[tuple[int, ...], float] = {}
    for path in itertools.product(range(logits.shape[1]), repeat=len(logits)):
        merged = [symbol for symbol, _ in itertools.groupby(path)]
        labels = tuple(symbol for symbol in merged if symbol != BLANK_INDEX)
        score = log_probs[np.arange(len(path)), path].sum()
        found[labels] = np.logaddexp(found.get(labels, -np.inf), score)
    return found


@pytest.mark.parametrize("seed", range(5))
def test_a_beam_that_holds_everything_is_exhaustive(seed):
    logits = np.random.default_rng(seed).normal(0, 1, (5, 3))
    expected = by_all_paths(logits)
    labels, log_probability = beam_search(logits, beam_width=200)
    assert tuple(labels) == max(expected, key=expected.get)
    assert log_probability == pytest.approx(expected[tuple(labels)])


@pytest.mark.parametrize("seed", range(60))
def test_the_same_as_in_a_graph(seed):
    logits, width = random_logits(seed), int(np.random.default_rng(seed).integers(1, 40))
    lengths = np.array([len(logits)])
    for (labels, score), (right, _, log_probability) in (
        (beam_search(logits, width), beam_decode(logits[None], lengths, width)),
        (greedy_search(logits), greedy_decode(logits[None], lengths)),
    ):
        assert labels == right.numpy()[0].tolist()
        assert score == pytest.approx(float(log_probability[0]), abs=1e-3)


def test_nothing_is_said():
    silence = np.array([[9.0, 0, 0]] * 4)
    assert beam_search(silence, 4)[0] == greedy_search(silence)[0] == []
