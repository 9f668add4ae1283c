"""Test weight drop: random elements of the recurrent kernel are 0 for a whole batch."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.common.layers import recurrent
from zoo.common.layers.recurrent import to_stock

ROWS, TIME, FEATURES, RATE = (
    10,
    6,
    3,
    0.4,
)  # more than eight rows, so that two loops run in parallel


def layer_with(units, **options):
    """Return a layer with random weights and weight drop."""
    layer = recurrent.LSTM(units, return_sequences=True, weight_drop=RATE, seed=3, **options)
    layer.build((ROWS, TIME, FEATURES))
    generator = np.random.default_rng(1)
    for weight in layer.trainable_weights:
        weight.assign(generator.normal(size=weight.shape))
    return layer


def inputs():
    return np.random.default_rng(0).normal(size=(ROWS, TIME, FEATURES)).astype("float32")


@pytest.mark.parametrize("options", [{}, {"unroll": True}], ids=["kernels", "keras"])
def test_all_rows_and_steps_share_the_dropped_kernel(options):
    """With one unit there are sixteen possible kernels. In each call, one of them gives all outputs."""
    layer, x = layer_with(1, **options), inputs()
    kernel, recurrent_kernel, bias = layer.get_weights()
    stock = keras.layers.LSTM(1, return_sequences=True)
    stock.build(x.shape)
    run, run_stock = tf.function(lambda: layer(x, training=True)), tf.function(lambda: stock(x))
    expected = []
    for kept in itertools.product((0.0, 1 / (1 - RATE)), repeat=4):
        stock.set_weights([kernel, recurrent_kernel * np.float32(kept), bias])
        expected.append(run_stock().numpy())
    kept = np.zeros(4)
    calls = 150
    for _ in range(calls):
        outputs = run().numpy()
        distances = [np.abs(outputs - other).max() for other in expected]
        found = int(np.argmin(distances))
        assert distances[found] < 1e-5
        kept += [int(bit) for bit in f"{found:04b}"]
    # A fraction of 0.6 of 600 elements is kept. Three standard deviations are 0.06.
    assert kept.sum() / (4 * calls) == pytest.approx(1 - RATE, abs=0.06)
    assert (kept > 0).all()
    assert (kept < calls).all()
    np.testing.assert_array_equal(layer.get_weights()[1], recurrent_kernel)


def test_gradients_equal_finite_differences():
    layer, x = layer_with(4, dtype="float64"), tf.constant(inputs(), "float64")
    recurrent_kernel, seed = layer.cell.recurrent_kernel, layer.cell.seed_generator.state
    state = np.array(seed)

    @tf.function
    def loss():
        seed.assign(state)  # the same elements are dropped in each call
        return tf.reduce_sum(tf.sin(layer(x, training=True)))

    with tf.GradientTape() as tape:
        value = loss()
    gradient = tape.gradient(value, recurrent_kernel.value).numpy()
    weights, step = np.array(recurrent_kernel), 1e-6
    dropped = 0
    for index in itertools.product(range(4), range(0, 16, 3)):
        losses = []
        for sign in (1, -1):
            changed = weights.copy()
            changed[index] += sign * step
            recurrent_kernel.assign(changed)
            losses.append(float(loss()))
        difference = (losses[0] - losses[1]) / (2 * step)
        assert gradient[index] == pytest.approx(difference, abs=1e-7)
        dropped += difference == 0
    assert 2 <= dropped <= 16  # of 24 elements


def test_no_effect_at_inference():
    layer, x = layer_with(4), inputs()
    stock = keras.layers.LSTM(4, return_sequences=True)
    stock.build(x.shape)
    stock.set_weights(layer.get_weights())
    np.testing.assert_allclose(layer(x, training=False), stock(x), atol=1e-6)
    assert np.abs(layer(x, training=True) - stock(x)).max() > 0.05


def test_saved_layer_keeps_weight_drop_and_to_stock_removes_it(tmp_path):
    x = keras.Input((None, FEATURES))
    model = keras.Model(x, layer_with(4, name="lstm")(x))
    model.save(tmp_path / "own.keras")
    again = keras.saving.load_model(tmp_path / "own.keras")
    assert again.get_layer("lstm").weight_drop == RATE
    stock = to_stock(model).get_layer("lstm")
    assert type(stock) is keras.layers.LSTM
    assert stock.cell.recurrent_kernel is model.get_layer("lstm").cell.recurrent_kernel
