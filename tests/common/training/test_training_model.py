"""Test the model that `fit` trains: its loss with regularizers, and states carried between batches.

`test_other_backends.py` runs these tests on other backends of Keras.
"""

from dataclasses import dataclass

import keras
import numpy as np
import pytest
from keras import layers, ops

from zoo.common.core.states import StateSpec, as_outputs
from zoo.common.training import training_model
from zoo.common.training.training_model import TrainingModel


@dataclass(frozen=True)
class MeanOutput:
    """A task whose loss is the mean output of a row."""

    def loss(self, y, outputs):
        return ops.mean(outputs["y"], axis=1)


def compiled(network: keras.Model, *states: StateSpec, batch_size: int = 0) -> TrainingModel:
    model = TrainingModel(network, MeanOutput(), states, batch_size)
    jit_compile = False if keras.config.backend() == "tensorflow" else "auto"
    model.compile(keras.optimizers.SGD(0.125), jit_compile=jit_compile)
    return model


def linear(regularizer=None) -> keras.Model:
    """y = x w, where w is initialized as [[1], [2], [3]]."""
    x = keras.Input((3,), name="x")
    layer = layers.Dense(1, use_bias=False, kernel_regularizer=regularizer)
    model = keras.Model({"x": x}, {"y": layer(x)})
    model.set_weights([np.array([[1], [2], [3]], np.float32)])
    return model


X = {"x": np.array([[1, 0, 0], [0, 1, 2]], np.float32)}
Y = {"z": np.zeros(2, np.float32)}


def test_the_loss_includes_regularizers():
    """Rows of 1 and 8; w squared sums to 14."""
    plain, regularized = compiled(linear()), compiled(linear(keras.regularizers.L2(0.25)))
    assert float(plain.test_on_batch(X, Y)) == pytest.approx(4.5)
    assert float(regularized.test_on_batch(X, Y)) == pytest.approx(4.5 + 0.25 * 14)
    assert float(regularized.train_on_batch(X, Y)) == pytest.approx(4.5 + 0.25 * 14)


def test_the_loss_is_divided_by_the_number_of_devices(monkeypatch):
    monkeypatch.setattr(training_model, "_replicas", lambda: 2)
    model = compiled(linear(keras.regularizers.L2(0.25)))
    outputs = model.network(X)
    assert float(model.compute_loss(y=Y, y_pred=outputs)) == pytest.approx((4.5 + 0.25 * 14) / 2)


def test_regularizers_change_the_weights():
    model = compiled(linear(keras.regularizers.L2(0.25)))
    model.train_on_batch(X, Y)
    slope = np.array([[0.5], [0.5], [1]]) + 2 * 0.25 * np.array([[1], [2], [3]])
    expected = np.array([[1], [2], [3]]) - 0.125 * slope
    np.testing.assert_allclose(np.array(model.network.weights[0]), expected, rtol=1e-6)


SPECS = (
    StateSpec("total", (2,)),
    StateSpec("grid", (1, 2), initial=5),
    StateSpec("age", (), "int32", initial=-1),
)


def counter() -> keras.Model:
    """Return a model that sums its inputs: y is the sum so far."""
    x = keras.Input((2,), name="x")
    states = {
        spec.name: keras.Input(spec.shape, name=spec.name, dtype=spec.dtype) for spec in SPECS
    }
    scale = layers.Dense(2, use_bias=False, kernel_initializer="identity", name="scale")
    total = states["total"] + scale(x)
    following = {
        "total": total,
        "grid": states["grid"] + ops.expand_dims(x, 1),
        "age": states["age"] + 1,
    }
    return keras.Model({"x": x, **states}, {"y": total, **as_outputs(following)})


def batch(x, reset) -> dict[str, np.ndarray]:
    return {"x": np.array(x, np.float32), "reset_states": np.array(reset)}


def carried(model: TrainingModel) -> dict[str, list]:
    return {name: np.array(value).tolist() for name, value in model.carried.items()}


def test_states_are_carried_and_reset():
    model = compiled(counter(), *SPECS, batch_size=2)
    losses = [
        model.test_on_batch(x, {"z": np.zeros(2, np.float32)})
        for x in (
            batch([[1, 2], [3, 4]], [True, True]),
            batch([[10, 10], [20, 20]], [False, False]),
            batch([[100, 100], [7, 7]], [False, True]),
        )
    ]
    # The means of [1.5, 3.5], of [11.5, 23.5] and of [111.5, 7].
    np.testing.assert_allclose(np.ravel(losses), [2.5, 17.5, 59.25])
    assert carried(model) == {
        "total": [[111, 112], [7, 7]],
        "grid": [[[116, 117]], [[12, 12]]],
        "age": [2, 0],
    }


@pytest.mark.filterwarnings("ignore:Your input ran out of data")
def test_fit_carries_states():
    """Gradients do not flow into the previous batch."""
    model = compiled(counter(), *SPECS, batch_size=2)
    batches = [
        batch([[1, 2], [3, 4]], [True, True]),
        batch([[0, 0], [0, 0]], [False, False]),
    ]
    y = {"z": np.zeros(2, np.float32)}
    model.fit(((x, y) for x in batches), epochs=1, verbose=0, shuffle=False)
    # The gradient of the mean total with respect to the matrix. It is 0 in the second batch.
    slope = np.mean([[1, 2], [3, 4]], axis=0)[:, None] * np.full((1, 2), 0.5)
    kernel = np.array(model.network.get_layer("scale").kernel)
    np.testing.assert_allclose(kernel, np.eye(2) - 0.125 * slope, rtol=1e-6)
    # The first batch was multiplied by the initial matrix.
    assert carried(model)["total"] == [[1, 2], [3, 4]]
    assert carried(model)["age"] == [1, 1]


def test_carried_states_are_not_weights_of_the_network():
    model = compiled(counter(), *SPECS, batch_size=2)
    assert len(model.network.weights) == 1
    assert [v.path for v in model.trainable_variables] == [model.network.weights[0].path]
    assert len(model.variables) >= 1 + len(SPECS)  # a run is resumed with them
