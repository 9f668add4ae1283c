"""Test gradients over lags, initial weights and gradient clipping."""

import numpy as np
import pytest

from tests.lab.harness import lab
from zoo.lab.cells import COLORS, forget_bias, orthogonal, recurrent_layer, with_radius
from zoo.lab.clipping import build_training
from zoo.lab.experiments import copy
from zoo.lab.experiments.vanishing import gradient_norms, matrix_power_norms


def test_norms_of_matrix_powers():
    np.testing.assert_allclose(matrix_power_norms(np.diag([0.5, -0.2]), 4), [1, 0.5, 0.25, 0.125])
    np.testing.assert_allclose(matrix_power_norms(orthogonal(0)((8, 8)), 50), np.ones(50))
    norms = matrix_power_norms(with_radius(1.1, 0)((16, 16)), 200)
    assert norms[199] / norms[99] == pytest.approx(1.1**100, rel=0.2)


def test_initializers():
    matrix = with_radius(0.9, 0)((12, 12))
    assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(0.9)
    gates = orthogonal(0)((4, 16))
    for gate in np.split(gates, 4, axis=1):
        np.testing.assert_allclose(gate.T @ gate, np.eye(4), atol=1e-12)
    assert not np.allclose(gates[:, :4], gates[:, 4:8])
    assert forget_bias(3.0)((8,)).tolist() == [0, 0, 3, 3, 0, 0, 0, 0]


def test_gradient_norms_equal_finite_differences():
    layer = recurrent_layer("RNN", 4, 0)
    random = np.random.default_rng(0)
    x = random.normal(size=(1, 5, 2)).astype(np.float32)
    direction = random.normal(size=(1, 4)).astype(np.float32)
    norms = gradient_norms(layer, x, direction)
    slopes = np.zeros((5, 2))
    for step, feature in np.ndindex(5, 2):
        ends = []
        for sign in (1, -1):
            moved = x.copy()
            moved[0, step, feature] += sign * 1e-2
            ends.append(float((np.asarray(layer(moved)) * direction).sum()))
        slopes[step, feature] = (ends[0] - ends[1]) / 2e-2
    lengths = np.linalg.norm(slopes, axis=1)[::-1]
    np.testing.assert_allclose(norms, lengths / lengths[0], rtol=5e-3)


def test_clipping_limits_the_update():
    """The recorded norms are those before clipping."""
    trainings = {clip: build_training(copy.PROBLEM, 5, 1.5, clip, 3)(1.0) for clip in (None, 1e-6)}
    free, tied = trainings[None], trainings[1e-6]
    assert free["gradient_norm"][0] == pytest.approx(tied["gradient_norm"][0])
    assert tied["gradient_norm"][0] > 0.1
    again = build_training(copy.PROBLEM, 5, 1.5, None, 3)
    assert again(1.0) == again(1.0) == free


@pytest.mark.slow
def test_vanishing_experiment():
    numbers = lab("vanishing").numbers
    norms = numbers["gradient_norm_by_lag"]
    linear, tanh, cells = (norms[part] for part in ("linear", "tanh", "cells"))
    for radius in (0.5, 0.9, 1.1, 1.5):
        assert linear[str(radius)][99] / linear[str(radius)][49] == pytest.approx(
            radius**50, rel=0.5
        )
    np.testing.assert_allclose(linear["orthogonal"], np.ones(100), rtol=1e-9)
    # tanh reduces gradients that the matrix alone would preserve.
    assert tanh["1.0"][50] < 1e-4 < 0.1 < linear["1.0"][50]
    assert all(curve[0] == 1.0 for part in norms.values() for curve in part.values())
    assert set(cells) == {*COLORS, "LSTM, bias 0"}
    at_50 = {name: curve[50] for name, curve in cells.items()}
    assert at_50["LSTM, bias 3"] > at_50["LSTM"] > 1e3 * at_50["LSTM, bias 0"]
    assert at_50["LSTM"] > 1e3 * max(at_50["RNN"], at_50["RNN, orthogonal"], at_50["GRU"])
    last = numbers["clipping"]["last_loss_by_learning_rate"]
    chance = numbers["clipping"]["chance_loss"]
    assert last["not_clipped"]["1.0"] > chance > 2 * last["clipped"]["1.0"]
