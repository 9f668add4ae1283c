"""Test backpropagation through time against a formula, the tape, finite differences and layers."""

import numpy as np
import pytest

from tests.lab.harness import lab
from zoo.lab.backpropagation import Weights, backward, finite_differences, forward
from zoo.lab.bidirectional import BidirectionalWeights, bidirectional


def test_gradients_of_one_unit_and_two_steps():
    w_xh, w_hh, w_hy, x1, x2, d1, d2 = 0.5, -0.8, 1.5, 1.0, -2.0, 0.3, 0.1
    weights = Weights(np.array([[w_xh]]), np.array([[w_hh]]), np.array([[w_hy]]))
    x, targets = np.array([[x1], [x2]]), np.array([[d1], [d2]])
    states = forward(weights, x, targets)
    h1 = np.tanh(w_xh * x1)
    h2 = np.tanh(w_xh * x2 + w_hh * h1)
    assert states.h[1:, 0] == pytest.approx([h1, h2])
    assert states.losses == pytest.approx(
        [(w_hy * h - d) ** 2 / 2 for h, d in ((h1, d1), (h2, d2))]
    )
    gradients = backward(weights, x, targets, states)
    e1, e2 = w_hy * h1 - d1, w_hy * h2 - d2
    z2 = e2 * w_hy * (1 - h2**2)
    z1 = (e1 * w_hy + z2 * w_hh) * (1 - h1**2)
    assert gradients.h[:, 0] == pytest.approx([e1 * w_hy + z2 * w_hh, e2 * w_hy])
    assert gradients.weights.W_xh.item() == pytest.approx(z1 * x1 + z2 * x2)
    assert gradients.weights.W_hh.item() == pytest.approx(z2 * h1)
    assert gradients.weights.W_hy.item() == pytest.approx(e1 * h1 + e2 * h2)


def test_finite_differences_do_not_change_the_weights():
    random = np.random.default_rng(0)
    weights = Weights(*(random.normal(size=shape) for shape in ((3, 2), (3, 3), (1, 3))))
    before = [matrix.copy() for matrix in weights]
    x, targets = random.normal(size=(4, 2)), random.normal(size=(4, 1))
    found = finite_differences(weights, x, targets)
    wanted = backward(weights, x, targets, forward(weights, x, targets)).weights
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-7)
    for a, b in zip(before, weights, strict=True):
        np.testing.assert_array_equal(a, b)


def test_bidirectional_gradients_equal_finite_differences():
    random = np.random.default_rng(1)
    shapes = ((2, 1), (2, 2), (2, 1), (2, 2), (1, 2), (1, 2))
    weights = BidirectionalWeights(*(random.normal(size=shape) for shape in shapes))
    x, targets = random.normal(size=(3, 1)), random.normal(size=(3, 1))

    def loss() -> float:
        f, b = np.zeros((5, 2)), np.zeros((5, 2))
        for t in (1, 2, 3):
            f[t] = np.tanh(weights.W_xf @ x[t - 1] + weights.W_ff @ f[t - 1])
        for t in (3, 2, 1):
            b[t] = np.tanh(weights.W_xb @ x[t - 1] + weights.W_bb @ b[t + 1])
        return 0.5 * ((f[1:4] @ weights.W_fy.T + b[1:4] @ weights.W_by.T - targets) ** 2).sum()

    gradients, _, _ = bidirectional(weights, x, targets)
    for matrix, gradient in zip(weights, gradients, strict=True):
        for index in np.ndindex(matrix.shape):
            matrix[index] += 1e-6
            above = loss()
            matrix[index] -= 2e-6
            slope = (above - loss()) / 2e-6
            matrix[index] += 1e-6
            assert gradient[index] == pytest.approx(slope, abs=1e-7)


def test_unroll_experiment():
    numbers = lab("unroll").numbers
    largest = numbers["largest_difference"]
    assert largest["tape"] < 1e-13
    assert largest["layer"] < 1e-13
    assert largest["bidirectional_layer"] < 1e-13
    assert largest["finite_differences"] < 1e-7
    # dh(t) is the sum of its parts. The last step has no part of a next step.
    parts = numbers["backward"]
    np.testing.assert_allclose(
        np.add(parts["from_output"], parts["from_next"]), parts["h"], atol=1e-15
    )
    assert not np.any(parts["from_next"][-1])
    assert all(np.any(step) for step in parts["from_next"][:-1])
    up, down = [1, 2, 3, 4], [4, 3, 2, 1]
    order = numbers["bidirectional_order"]
    assert order["forward"] == [
        [k, t] for k, ts in zip("fby", (up, down, up), strict=True) for t in ts
    ]
    assert order["gradients"] == [
        [k, t] for k, ts in zip("yfb", (up, down, up), strict=True) for t in ts
    ]
