"""The zoo's recurrent layers give the numbers of the Keras layers of the same names."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.common import recurrent
from zoo.common.errors import ZooError
from zoo.common.recurrent import kernels

BATCH, TIME, FEATURES, UNITS = 4, 9, 3, 5
LAYERS = {
    "lstm": ("LSTM", {}),
    "gru": ("GRU", {}),
    "gru_reset_before": ("GRU", {"reset_after": False}),
    "simple_rnn": ("SimpleRNN", {}),
}
MASKS = {
    "none": None,
    "right_padded": np.arange(TIME) < np.array([[TIME], [4], [1], [6]]),
    # A gap, a late start, a whole row without a step.
    "arbitrary": np.array(
        [[1, 1, 0, 0, 1, 1, 0, 1, 0], [0, 0, 1, 1, 1, 0, 1, 1, 1], [0] * 9, [1] * 9], bool
    ),
}


def random(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape).astype("float32"))


def pair(name, wrap=None, **options):
    """The Keras layer and the zoo's, on the same random weights."""
    layer_class, own = LAYERS[name]
    layers = []
    for module in (keras.layers, recurrent):
        layer = getattr(module, layer_class)(UNITS, **own, **options)
        if wrap:
            layer = module.Bidirectional(layer, **wrap)
        layer.build((BATCH, TIME, FEATURES))
        for i, weight in enumerate(layer.weights):
            if "seed" not in weight.path:
                weight.assign(0.6 * random(*weight.shape, seed=i + 1))
        layers.append(layer)
    return layers


def weighting(y):
    """Any fixed numbers in the shape of y, which may be unknown while a graph is traced."""
    return tf.reshape(tf.cos(tf.cast(tf.range(tf.size(y)), y.dtype)), tf.shape(y))


def numbers(layer, x, mask=None, initial_state=None, training=True):
    """Outputs, and the gradients of a random sum of them by input, states and weights."""
    sources = [x, *(initial_state or []), *(w.value for w in layer.trainable_weights)]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs = layer(x, mask=mask, initial_state=initial_state, training=training)
        outputs = keras.tree.flatten(outputs)
        total = sum(tf.reduce_sum(y * weighting(y)) for y in outputs)
    return outputs, tape.gradient(total, sources)


def assert_same(stock, fast):
    for expected, actual in zip(stock[0], fast[0], strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-5)
    for expected, actual in zip(stock[1], fast[1], strict=True):
        np.testing.assert_allclose(actual, expected, atol=1e-4 * np.abs(expected).max())


@pytest.mark.parametrize("mask", MASKS)
@pytest.mark.parametrize("name", LAYERS)
def test_every_combination_of_arguments_equals_keras(name, mask):
    x, count = random(BATCH, TIME, FEATURES), 2 if name == "lstm" else 1
    states = [random(BATCH, UNITS, seed=s) for s in range(count)]
    flags = ("go_backwards", "return_sequences", "return_state", "zero_output_for_mask")
    for values in itertools.product((False, True), repeat=len(flags)):
        for initial_state in (None, states):
            stock, fast = pair(name, **dict(zip(flags, values, strict=True)))
            expected = numbers(stock, x, MASKS[mask], initial_state)
            assert_same(expected, numbers(fast, x, MASKS[mask], initial_state))


@pytest.mark.parametrize("name", LAYERS)
def test_without_bias_equals_keras(name):
    stock, fast = pair(name, use_bias=False, return_sequences=True)
    x = random(BATCH, TIME, FEATURES)
    assert_same(numbers(stock, x), numbers(fast, x))


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("merge_mode", ["concat", "sum", "ave", "mul", None])
def test_bidirectional_equals_keras(name, merge_mode):
    options = {"return_sequences": True, "return_state": True}
    stock, fast = pair(name, wrap={"merge_mode": merge_mode}, **options)
    x, mask = random(BATCH, TIME, FEATURES), MASKS["right_padded"]
    assert_same(numbers(stock, x, mask), numbers(fast, x, mask))


DROPOUTS = [
    {"dropout": 0.4},
    {"recurrent_dropout": 0.4},
    {"dropout": 0.3, "recurrent_dropout": 0.4},
    {"dropout": 1.0},
]


@pytest.mark.parametrize("options", DROPOUTS)
@pytest.mark.parametrize("name", LAYERS)
def test_dropout_draws_the_masks_of_keras(name, options):
    stock, fast = pair(name, seed=7, return_sequences=True, **options)
    x = random(BATCH, TIME, FEATURES)
    for training in (True, False, True):
        expected = numbers(stock, x, MASKS["arbitrary"], training=training)
        assert_same(expected, numbers(fast, x, MASKS["arbitrary"], training=training))


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_a_mask_for_each_gate_with_implementation_1(name):
    # Keras takes this way for any recurrent dropout; here without one.
    stock, fast = pair(name, implementation=1, seed=7, dropout=0.4, use_cudnn=False)
    x = random(BATCH, TIME, FEATURES)
    assert_same(numbers(stock, x), numbers(fast, x))


@pytest.mark.parametrize("name", LAYERS)
def test_a_stateful_layer_carries_its_states_on(name):
    stock, fast = pair(name, stateful=True, return_sequences=True)
    for seed in (0, 1):
        x = random(BATCH, TIME, FEATURES, seed=seed)
        np.testing.assert_allclose(fast(x), stock(x), atol=1e-5)
    stock.reset_state()
    fast.reset_state()
    np.testing.assert_allclose(fast(x), stock(x), atol=1e-5)


@pytest.mark.parametrize("time_steps", [1, 3, 4, 5, 8, 11])
@pytest.mark.parametrize("name", LAYERS)
def test_windows_join_without_a_seam(name, time_steps, monkeypatch):
    monkeypatch.setattr(kernels, "WINDOW", 4)
    stock, fast = pair(name, wrap={}, return_sequences=True)
    x = random(BATCH, time_steps, FEATURES)
    mask = tf.constant(np.random.default_rng(1).random((BATCH, time_steps)) > 0.3)
    signature = [tf.TensorSpec((None, None, FEATURES)), tf.TensorSpec((None, None), "bool")]
    for given in (None, mask):
        free = tf.function(
            lambda x, m, g=given: numbers(fast, x, None if g is None else m), signature
        )
        assert_same(numbers(stock, x, given), free(x, mask))


@pytest.mark.parametrize("name", LAYERS)
def test_inside_a_function_that_xla_compiles(name):
    stock, fast = pair(name, wrap={}, return_sequences=True)
    x, mask = random(BATCH, 70, FEATURES), tf.sequence_mask([70, 3, 68, 40], 70)
    signature = [tf.TensorSpec((None, None, FEATURES)), tf.TensorSpec((None, None), "bool")]
    step = tf.function(lambda x, m: numbers(fast, x, m), signature, jit_compile=True)
    assert_same(numbers(stock, x, mask), step(x, mask))
