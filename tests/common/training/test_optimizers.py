"""Test optimizers: schedules, decay and clipping, compared with hand-computed values.

`test_other_backends.py` runs these tests on other backends of Keras.
"""

import keras
import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.training.optimizers import SGD, AdamW


def stepped(optimizer, *gradients) -> tuple[np.ndarray, np.ndarray]:
    """Return a kernel and a bias, initialized as ones, after one step per gradient."""
    kernel = keras.Variable(np.ones(2, np.float32), name="kernel")
    bias = keras.Variable(np.ones(2, np.float32), name="bias")
    optimizer.build([kernel, bias])
    for gradient in gradients:
        tensor = keras.ops.convert_to_tensor(np.array(gradient, np.float32))
        optimizer.apply([tensor, tensor], [kernel, bias])
    return np.array(kernel), np.array(bias)


def test_sgd():
    kernel, bias = stepped(SGD(learning_rate=0.5, clip_norm=100).build(3, 10), [1, 2], [1, 2])
    np.testing.assert_allclose(kernel, [0, -1])
    np.testing.assert_allclose(bias, [0, -1])


def test_sgd_with_momentum():
    """The second step is 1 + 0.9 of the first."""
    optimizer = SGD(learning_rate=0.1, momentum=0.9, clip_norm=100).build(3, 10)
    kernel, _ = stepped(optimizer, [1, 2], [1, 2])
    np.testing.assert_allclose(kernel, 1 - 0.1 * 2.9 * np.array([1, 2]), rtol=1e-6)


def test_clipping_uses_the_global_norm():
    """The norm of (3, 4) twice is sqrt(50)."""
    kernel, _ = stepped(SGD(learning_rate=1, clip_norm=0.25).build(1, 1), [3, 4])
    np.testing.assert_allclose(kernel, 1 - 0.25 / np.sqrt(50) * np.array([3, 4]), rtol=1e-6)


def test_adamw_clips():
    """A large gradient has the effect of a clipped one on later steps."""
    short = 1 / np.sqrt(2)  # kernel and bias have the same gradient
    clipped, _ = stepped(AdamW(0.1, 0, clip_norm=1).build(10, 1), [1000, 0], [-0.1, 0])
    expected, _ = stepped(AdamW(0.1, 0, clip_norm=1e5).build(10, 1), [short, 0], [-0.1, 0])
    free, _ = stepped(AdamW(0.1, 0, clip_norm=1e5).build(10, 1), [1000, 0], [-0.1, 0])
    np.testing.assert_allclose(clipped, expected, rtol=1e-5)
    assert np.abs(free - expected).max() > 1e-3


@pytest.mark.parametrize("kind", [SGD, AdamW])
def test_biases_do_not_decay(kind):
    optimizer = kind(learning_rate=0.5, weight_decay=0.1)
    optimizer = (
        optimizer.build(1, 1) if kind is SGD else AdamW(0.5, 0, weight_decay=0.1).build(10**9, 1)
    )
    kernel, bias = stepped(optimizer, [0, 0])
    np.testing.assert_allclose(kernel, [0.95, 0.95], rtol=1e-6)
    np.testing.assert_allclose(bias, [1, 1])


def test_the_learning_rate_of_sgd_is_constant():
    optimizer = SGD(learning_rate=0.5).build(epochs=2, steps_per_epoch=1)
    stepped(optimizer, *[[1, 1]] * 5)
    assert float(optimizer.learning_rate) == 0.5


def rate(optimizer, step: int) -> float:
    optimizer.iterations.assign(step)
    return float(optimizer.learning_rate)


def test_warm_up_and_cosine():
    """The rate rises for 2 epochs of 10 steps, falls for 8, and is half the peak halfway down."""
    optimizer = AdamW(learning_rate=0.2, warmup_epochs=2).build(epochs=10, steps_per_epoch=10)
    rates = [rate(optimizer, step) for step in (0, 10, 20, 60, 100, 200)]
    np.testing.assert_allclose(rates, [0, 0.1, 0.2, 0.1, 0, 0], atol=1e-7)
    without = AdamW(learning_rate=0.2, warmup_epochs=0).build(10, 10)
    np.testing.assert_allclose(
        [rate(without, step) for step in (0, 50, 100)], [0.2, 0.1, 0], atol=1e-7
    )


@pytest.mark.parametrize(
    ("kind", "field", "value", "words"),
    [
        (AdamW, "learning_rate", 0, "above 0 and at most 1,000,000. Received: 0"),
        (AdamW, "clip_norm", -1, "above 0 and at most 1,000,000. Received: -1"),
        (AdamW, "warmup_epochs", -1, "at least 0"),
        (AdamW, "weight_decay", float("nan"), "at least 0 and at most 1,000,000. Received: nan"),
        (SGD, "learning_rate", float("inf"), "above 0 and at most 1,000,000. Received: inf"),
        (AdamW, "warmup_epochs", 1e300, "at least 0 and at most 1,000,000. Received: 1e+300"),
        (SGD, "learning_rate", 1e300, "above 0 and at most 1,000,000. Received: 1e+300"),
        (SGD, "momentum", 1, "at least 0 and below 1. Received: 1"),
        (SGD, "average_from", -1, "at least 0"),
    ],
)
def test_ranges(kind, field, value, words):
    with pytest.raises(ZooError) as error:
        kind(**{field: value})
    assert str(error.value).startswith(f"optimizer.{field} must be {words}")
