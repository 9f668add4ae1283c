"""The searches in NumPy against every path."""

import numpy as np
import pytest

from tests.common.ctc.every_path import collapse, labellings, log_likelihood, log_softmax
from zoo.common.ctc.search import Hypothesis, beam_search, greedy_search, search


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("shape", [(5, 3), (4, 4), (6, 2), (1, 5)])
def test_the_n_best_of_a_beam_that_holds_everything_are_those_of_every_path(shape, seed):
    logits = np.random.default_rng(seed).normal(0, 2, shape)
    found = labellings(logits)
    expected = sorted(found, key=lambda labels: -found[labels][0])
    received = beam_search(logits, beam_width=1000, n_best=1000)
    assert [tuple(hypothesis.labels) for hypothesis in received] == expected
    for hypothesis in received:
        right, _, _ = found[tuple(hypothesis.labels)]
        assert hypothesis.log_probability == pytest.approx(right, abs=1e-9)
        assert log_likelihood(logits, hypothesis.labels) == pytest.approx(right, abs=1e-9)
    # All labellings there are: together certain.
    total = np.logaddexp.reduce([hypothesis.log_probability for hypothesis in received])
    assert total == pytest.approx(0, abs=1e-9)


@pytest.mark.parametrize("width", [2, 5, 20])
def test_a_narrow_beam_never_claims_more_than_there_is(width):
    for seed in range(20):
        logits = np.random.default_rng(seed).normal(0, 1, (6, 3))
        found = labellings(logits)
        received = beam_search(logits, width, n_best=width)
        assert len({tuple(hypothesis.labels) for hypothesis in received}) == len(received) <= width
        scores = [hypothesis.log_probability for hypothesis in received]
        assert scores == sorted(scores, reverse=True)
        for labels, score in received:
            assert score <= found[tuple(labels)][0] + 1e-9


def test_fewer_than_n_where_fewer_were_found():
    assert len(beam_search(np.zeros((1, 3)), 10, n_best=10)) == 3
    certain = np.array([[-np.inf, 0.0, -np.inf]] * 2)
    assert beam_search(certain, 10, n_best=10) == [Hypothesis([1], 0.0)]


@pytest.mark.parametrize("seed", range(5))
def test_greedy_collapses_the_best_symbol_of_each_frame(seed):
    logits = np.random.default_rng(seed).normal(0, 1, (30, 4)).astype(np.float32)
    labels, log_probability = greedy_search(logits)
    assert tuple(labels) == collapse(logits.argmax(axis=1))
    assert log_probability == pytest.approx(log_softmax(logits).max(axis=1).sum(), abs=1e-4)


def test_the_likeliest_labelling_is_not_that_of_the_likeliest_path():
    """Graves's example: two frames, p(blank) = 0.6 and p(1) = 0.4: p([1]) = 0.64, p([]) = 0.36."""
    logits = np.log([[0.6, 0.4], [0.6, 0.4]])
    first, second = search(logits, beam_width=8, n_best=2)
    assert (first.labels, second.labels) == ([1], [])
    assert np.exp(first.log_probability) == pytest.approx(0.64)
    assert np.exp(second.log_probability) == pytest.approx(0.36)
    (best,) = search(logits, beam_width=1)
    assert best.labels == []
    assert np.exp(best.log_probability) == pytest.approx(0.36)


def test_a_beam_of_one_takes_the_likeliest_path():
    """Whose probability is 0.6 * 0.6; that of the labelling is 0.84."""
    (best,) = search(np.log([[0.4, 0.6], [0.4, 0.6]]), beam_width=1)
    assert best.labels == [1]
    assert np.exp(best.log_probability) == pytest.approx(0.36)


def test_nothing_is_said():
    silence = np.array([[9.0, 0, 0]] * 4)
    (best,) = beam_search(silence, 4)
    assert best.labels == greedy_search(silence).labels == []


@pytest.mark.parametrize("width", [1, 4])
def test_no_frames_are_an_empty_text(width):
    """As of a clip that is shorter than a window."""
    (best,) = search(np.zeros((0, 3), np.float32), width)
    assert best == Hypothesis([], 0.0)


def test_of_equal_scores_the_first_is_kept():
    """Whatever the machine sorts by: a blank, then the smallest labels."""
    found = beam_search(np.zeros((1, 1000)), 100, n_best=100)
    assert [hypothesis.labels for hypothesis in found] == [
        [],
        *([label] for label in range(1, 100)),
    ]
