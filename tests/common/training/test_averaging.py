"""Test the mean of the weights after epochs.

`test_other_backends.py` runs these tests on other backends of Keras.
"""

import keras
import numpy as np
import pytest

from zoo.common.training.averaging import WeightAverage
from zoo.common.training.optimizers import SGD, AdamW


@pytest.fixture
def model():
    x = keras.Input((3,))
    return keras.Model(x, keras.layers.BatchNormalization()(keras.layers.Dense(2)(x)))


def ends(count: int) -> list[np.ndarray]:
    """Return one matrix per epoch."""
    generator = np.random.default_rng(0)
    return [generator.normal(size=(3, 2)).astype(np.float32) for _ in range(count)]


@pytest.mark.parametrize("first", [1, 2, 4])
def test_the_mean_starts_at_average_from(model, first):
    average, kernel = WeightAverage(model, SGD(average_from=first)), model.trainable_variables[0]
    assert len(average.variables) == len(model.weights) == 6
    values = ends(5)
    for epoch, value in enumerate(values):
        kernel.assign(value)
        average.update(epoch)
        expected = np.mean(values[first - 1 : epoch + 1], axis=0) if epoch + 1 >= first else value
        with average.in_model():
            np.testing.assert_allclose(np.array(kernel), expected, rtol=1e-5, atol=1e-6)
        np.testing.assert_array_equal(np.array(kernel), value)


def test_statistics_of_batch_normalization_are_averaged(model):
    average = WeightAverage(model, AdamW(average_from=1))
    (moving_mean,) = [w for w in model.weights if w.name == "moving_mean"]
    for epoch, value in enumerate(([1.0, 2.0], [3.0, 6.0])):
        moving_mean.assign(value)
        average.update(epoch)
    with average.in_model():
        np.testing.assert_allclose(np.array(moving_mean), [2, 4])
    np.testing.assert_array_equal(np.array(moving_mean), [3, 6])


def test_an_error_restores_the_last_weights(model):
    average, kernel = WeightAverage(model, SGD(average_from=1)), model.trainable_variables[0]
    first, second = ends(2)
    for epoch, value in enumerate((first, second)):
        kernel.assign(value)
        average.update(epoch)
    with pytest.raises(RuntimeError), average.in_model():
        raise RuntimeError
    np.testing.assert_array_equal(np.array(kernel), second)


def test_the_mean_continues_from_its_variables(model):
    """A resumed run restores the variables; the count follows from the epoch."""
    kernel, values = model.trainable_variables[0], ends(4)
    before, after = (WeightAverage(model, SGD(average_from=2)) for _ in range(2))
    for epoch in range(3):
        kernel.assign(values[epoch])
        before.update(epoch)
    for mean, saved in zip(after.variables, before.variables, strict=True):
        mean.assign(saved)
    kernel.assign(values[3])
    after.update(3)
    with after.in_model():
        np.testing.assert_allclose(
            np.array(kernel), np.mean(values[1:], axis=0), rtol=1e-5, atol=1e-6
        )


@pytest.mark.parametrize("optimizer", [SGD(), AdamW()])
def test_no_averaging_by_default(model, optimizer):
    average, kernel = WeightAverage(model, optimizer), model.trainable_variables[0]
    average.update(0)
    assert average.variables == []
    before = np.array(kernel)
    with average.in_model():
        np.testing.assert_array_equal(np.array(kernel), before)
