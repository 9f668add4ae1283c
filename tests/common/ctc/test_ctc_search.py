"""Compare the searches in NumPy with all paths."""

import numpy as np
import pytest

from tests.common.ctc.every_path import collapse, labellings, log_likelihood, log_softmax
from zoo.common.ctc.search import Hypothesis, beam_search, greedy_search, search


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(5, 3), (4, 4), (6, 2), (1, 5)])
def test_wide_beam_finds_all_labellings(shape, seed):
    logits = np.random.default_rng(seed).normal(0, 2, shape)
    found = labellings(logits)
    expected = sorted(found, key=lambda labels: -found[labels][0])
    received = beam_search(logits, beam_width=1000, n_best=1000)
    assert [tuple(hypothesis.labels) for hypothesis in received] == expected
    for hypothesis in received:
        exact, _, _ = found[tuple(hypothesis.labels)]
        assert hypothesis.log_probability == pytest.approx(exact, abs=1e-9)
        assert log_likelihood(logits, hypothesis.labels) == pytest.approx(exact, abs=1e-9)
    # The probabilities of all labellings sum to 1.
    total = np.logaddexp.reduce([hypothesis.log_probability for hypothesis in received])
    assert total == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("width", [2, 5, 20])
def test_narrow_beam_never_exceeds_the_exact_probability(width):
    for seed in range(20):
        logits = np.random.default_rng(seed).normal(0, 1, (6, 3))
        found = labellings(logits)
        received = beam_search(logits, width, n_best=width)
        assert len({tuple(hypothesis.labels) for hypothesis in received}) == len(received) <= width
        scores = [hypothesis.log_probability for hypothesis in received]
        assert scores == sorted(scores, reverse=True)
        for labels, score in received:
            assert score <= found[tuple(labels)][0] + 1e-9


def test_n_best_may_return_fewer_labellings():
    assert len(beam_search(np.zeros((1, 3)), 10, n_best=10)) == 3
    certain = np.array([[-np.inf, 0.0, -np.inf]] * 2)
    assert beam_search(certain, 10, n_best=10) == [Hypothesis([1], 0.0)]


@pytest.mark.parametrize("seed", range(5))
def test_greedy_search_collapses_the_best_path(seed):
    logits = np.random.default_rng(seed).normal(0, 1, (30, 4)).astype(np.float32)
    labels, log_probability = greedy_search(logits)
    assert tuple(labels) == collapse(logits.argmax(axis=1))
    assert log_probability == pytest.approx(log_softmax(logits).max(axis=1).sum(), abs=1e-4)


def test_beam_search_finds_a_better_labelling_than_the_best_path():
    """Example of Graves: two frames, p(blank) = 0.6 and p(1) = 0.4: p([1]) = 0.64, p([]) = 0.36."""
    logits = np.log([[0.6, 0.4], [0.6, 0.4]])
    first, second = search(logits, beam_width=8, n_best=2)
    assert (first.labels, second.labels) == ([1], [])
    assert np.exp(first.log_probability) == pytest.approx(0.64)
    assert np.exp(second.log_probability) == pytest.approx(0.36)
    (best,) = search(logits, beam_width=1)
    assert best.labels == []
    assert np.exp(best.log_probability) == pytest.approx(0.36)


def test_beam_width_1_returns_the_best_path():
    """Its probability is 0.6 * 0.6. The probability of the labelling is 0.84."""
    (best,) = search(np.log([[0.4, 0.6], [0.4, 0.6]]), beam_width=1)
    assert best.labels == [1]
    assert np.exp(best.log_probability) == pytest.approx(0.36)


def test_blank_frames_give_an_empty_text():
    silence = np.array([[9.0, 0, 0]] * 4)
    (best,) = beam_search(silence, 4)
    assert best.labels == greedy_search(silence).labels == []


@pytest.mark.parametrize("width", [1, 4])
def test_zero_frames_give_an_empty_text(width):
    """A clip that is shorter than a window has no frames."""
    (best,) = search(np.zeros((0, 3), np.float32), width)
    assert best == Hypothesis([], 0.0)


def test_ties_select_the_first_label():
    """The order is the same on all machines: a blank, then the smallest labels."""
    found = beam_search(np.zeros((1, 1000)), 100, n_best=100)
    assert [hypothesis.labels for hypothesis in found] == [
        [],
        *([label] for label in range(1, 100)),
    ]
