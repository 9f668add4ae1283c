"""Pooling over time: values without padding, whatever the padding is."""

import numpy as np

from zoo.common.layers.pooling import mean_and_maximum, output_at_end

# Two rows of three steps and two channels; the second row has one step.
X = np.array([[[1, -1], [0.5, 0.25], [0, -0.5]], [[-0.5, 1], [9, 9], [-9, 9]]], np.float32)
INSIDE = np.array([[True, True, True], [True, False, False]])


def test_mean_and_maximum():
    x = np.where(INSIDE[..., None], X, np.clip(X, -1, 1))
    found = np.array(mean_and_maximum(x, INSIDE))
    np.testing.assert_allclose(found, [[0.5, -1.25 / 3, 1, 0.25], [-0.5, 1, -0.5, 1]], atol=1e-6)


def test_output_at_end():
    np.testing.assert_allclose(np.array(output_at_end(X, INSIDE)), [[0, -0.5], [-0.5, 1]])
