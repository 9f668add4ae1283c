"""Test the adding problem, the copy problem and the longest lags."""

import dataclasses

import numpy as np
import pytest

from tests.lab.harness import lab
from zoo.lab import lags
from zoo.lab.experiments import adding, copy, successors
from zoo.lab.lag_figures import draw_losses
from zoo.lab.lags import Trial, longest_lags


def test_sequences_of_the_adding_problem():
    x, y = adding.sequences(np.random.default_rng(0), 4000, 20)
    assert x.shape == (4000, 20, 2)
    assert (x.dtype, y.dtype) == (np.float32, np.float32)
    marks = x[..., 1]
    assert set(np.unique(marks)) == {0.0, 1.0}
    assert (marks[:, :10].sum(axis=1) == 1).all()
    assert (marks[:, 10:].sum(axis=1) == 1).all()
    for row, answer in zip(x[:5], y[:5, 0], strict=True):
        assert sum(value for value, mark in row if mark) == pytest.approx(answer)
    assert ((y - 1) ** 2).mean() == pytest.approx(adding.CHANCE, rel=0.05)


def test_sequences_of_the_copy_problem():
    x, y = copy.sequences(np.random.default_rng(0), 50, 7)
    assert x.shape == (50, 2 * copy.LENGTH + 7, copy.SYMBOLS + 2)
    assert (x.sum(axis=2) == 1).all()
    inputs = x.argmax(axis=2)
    np.testing.assert_array_equal(inputs[:, : copy.LENGTH], y)
    assert (inputs[:, copy.LENGTH : copy.LENGTH + 7] == copy.PAUSE).all()
    assert (inputs[:, copy.LENGTH + 7] == copy.GO).all()
    assert (inputs[:, copy.LENGTH + 8 :] == copy.PAUSE).all()
    assert y.min() == 0
    assert y.max() == copy.SYMBOLS - 1


def test_longest_lags():
    trials = [
        Trial("a", 5, [0.1], 50),
        Trial("a", 10, [0.1], 50),
        Trial("a", 20, [0.9], None),
        Trial("b", 5, [0.9], None),
    ]
    assert longest_lags(trials) == {"a": 10, "b": 0}
    problem = dataclasses.replace(copy.PROBLEM, lags=(5, 10))
    assert lags.text(problem, trials).splitlines()[1:] == [
        "  a               10 or more",
        "  b               none",
    ]


def test_trials_start_from_initial_weights_and_end_when_learnt():
    problem = dataclasses.replace(copy.PROBLEM, lags=(1, 2), updates=100, target=2.05)
    train = lags.build_training(problem, "RNN, orthogonal")
    first = train(1)
    assert first.learnt_after == 50 == 50 * len(first.losses)
    assert first.losses[-1] <= 2.05
    strict = lags.build_training(dataclasses.replace(problem, target=0.0), "RNN, orthogonal")
    long = strict(1)
    assert long.learnt_after is None
    assert len(long.losses) == 2
    assert long.losses[0] == first.losses[0]
    assert long.losses[1] < long.losses[0]
    assert train(1) == first
    assert len(draw_losses(problem, [first, long]).axes) == 1


@pytest.mark.slow
def test_adding_experiment():
    numbers = lab("adding").numbers
    longest = numbers["longest_lag"]
    assert longest["RNN"] < 50 < longest["LSTM"] <= longest["LSTM, bias 3"]
    assert longest["RNN, orthogonal"] < 50 < longest["GRU"]
    learnt = [trial for trial in numbers["trials"] if trial["learnt_after"]]
    assert all(trial["losses"][-1] <= numbers["target_loss"] for trial in learnt)


@pytest.mark.slow
def test_copy_experiment():
    longest = lab("copy").numbers["longest_lag"]
    assert longest["RNN"] < longest["RNN, orthogonal"]
    assert longest["LSTM"] < longest["LSTM, bias 3"]


def test_sequences_of_the_selective_copy_problem():
    x, y = successors.selective_sequences(np.random.default_rng(0), 50, 7)
    inputs = x.argmax(axis=2)
    assert inputs.shape == (50, 2 * copy.LENGTH + 7)
    steps = copy.LENGTH + 7
    for row, symbols in zip(inputs, y, strict=True):
        np.testing.assert_array_equal(row[:steps][row[:steps] < copy.SYMBOLS], symbols)
    assert (inputs[:, steps] == copy.GO).all()
    assert len({tuple(np.flatnonzero(row[:steps] < copy.SYMBOLS)) for row in inputs}) > 20


def test_a_trial_of_a_block():
    problem = dataclasses.replace(copy.PROBLEM, units=8, updates=50, target=0.0)
    trial = lags.build_training(problem, "minGRU")(1)
    assert len(trial.losses) == 1
    assert 0 < trial.losses[0] < 10
