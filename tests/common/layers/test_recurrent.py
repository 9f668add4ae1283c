"""Compare the zoo's recurrent layers with the Keras layers of the same names."""

import itertools
import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf

from zoo.common.core.errors import ZooError
from zoo.common.layers import recurrent
from zoo.common.layers.recurrent import kernels, layers, rows

BATCH, TIME, FEATURES, UNITS = 4, 9, 3, 5
LAYERS = {
    "lstm": ("LSTM", {}),
    "gru": ("GRU", {}),
    "gru_reset_before": ("GRU", {"reset_after": False}),
    "simple_rnn": ("SimpleRNN", {}),
    "sigmoid_rnn": ("SimpleRNN", {"activation": "sigmoid"}),
}
MASKS = {
    "none": None,
    "right_padded": np.arange(TIME) < np.array([[TIME], [4], [1], [6]]),
    # A gap, a late start, a row without any step, and a full row.
    "arbitrary": np.array(
        [[1, 1, 0, 0, 1, 1, 0, 1, 0], [0, 0, 1, 1, 1, 0, 1, 1, 1], [0] * 9, [1] * 9], bool
    ),
}


def random(*shape, seed=0):
    return tf.constant(np.random.default_rng(seed).normal(size=shape).astype("float32"))


def pair(name, wrap=None, **options):
    """Return the Keras layer and the zoo's layer with the same random weights."""
    layer_class, own = LAYERS[name]
    both = []
    for module in (keras.layers, recurrent):
        layer = getattr(module, layer_class)(UNITS, **own, **options)
        if wrap:
            layer = module.Bidirectional(layer, **wrap)
        layer.build((BATCH, TIME, FEATURES))
        for i, weight in enumerate(layer.weights):
            if "seed" not in weight.path:
                weight.assign(0.6 * random(*weight.shape, seed=i + 1))
        both.append(layer)
    return both


def weighting(y):
    """Return fixed weights in the shape of y, which may be unknown in a graph."""
    return tf.reshape(tf.cos(tf.cast(tf.range(tf.size(y)), y.dtype)), tf.shape(y))


def numbers(layer, x, mask=None, initial_state=None, training=True):
    """Return the outputs, and the gradients of a weighted sum of them by input, states and weights."""
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
def test_all_combinations_of_arguments_equal_keras(name, mask):
    x, count = random(BATCH, TIME, FEATURES), 2 if name == "lstm" else 1
    states = [random(BATCH, UNITS, seed=s) for s in range(count)]
    flags = ("go_backwards", "return_sequences", "zero_output_for_mask")
    for values in itertools.product((False, True), repeat=len(flags)):
        options = dict(zip(flags, values, strict=True))
        if options["zero_output_for_mask"] and MASKS[mask] is None:
            continue
        stock, fast = pair(name, return_state=True, **options)
        expected = numbers(stock, x, MASKS[mask], states)
        assert_same(expected, numbers(fast, x, MASKS[mask], states))


@pytest.mark.parametrize("name", LAYERS)
def test_without_initial_and_final_states_equals_keras(name):
    stock, fast = pair(name)
    x = random(BATCH, TIME, FEATURES)
    assert_same(numbers(stock, x), numbers(fast, x))


@pytest.mark.parametrize("name", LAYERS)
def test_without_bias_equals_keras(name):
    stock, fast = pair(name, use_bias=False, return_sequences=True)
    x = random(BATCH, TIME, FEATURES)
    assert_same(numbers(stock, x), numbers(fast, x))


MERGED = [(name, "concat") for name in LAYERS]
MERGED += [("simple_rnn", mode) for mode in ("sum", "ave", "mul", None)]


@pytest.mark.parametrize(("name", "merge_mode"), MERGED)
def test_bidirectional_equals_keras(name, merge_mode):
    options = {"return_sequences": True, "return_state": True}
    stock, fast = pair(name, wrap={"merge_mode": merge_mode}, **options)
    x, mask = random(BATCH, TIME, FEATURES), MASKS["right_padded"]
    assert_same(numbers(stock, x, mask), numbers(fast, x, mask))


DROPPED = [(name, {"dropout": 0.3, "recurrent_dropout": 0.4}) for name in LAYERS]
DROPPED += [("lstm", {"dropout": 0.4}), ("gru", {"recurrent_dropout": 0.4})]
DROPPED += [("lstm", {"dropout": 1.0}), ("simple_rnn", {"recurrent_dropout": 1.0})]


@pytest.mark.parametrize(("name", "options"), DROPPED)
def test_dropout_equals_keras(name, options):
    stock, fast = pair(name, seed=7, return_sequences=True, **options)
    x = random(BATCH, TIME, FEATURES)
    for training in (True, False):
        expected = numbers(stock, x, MASKS["arbitrary"], training=training)
        assert_same(expected, numbers(fast, x, MASKS["arbitrary"], training=training))


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_dropout_with_implementation_1_equals_keras(name):
    # Keras uses this implementation for recurrent dropout; here it is used without one.
    stock, fast = pair(name, implementation=1, seed=7, dropout=0.4, use_cudnn=False)
    x = random(BATCH, TIME, FEATURES)
    assert_same(numbers(stock, x), numbers(fast, x))


@pytest.mark.parametrize("name", LAYERS)
def test_stateful_layer_keeps_its_states(name):
    stock, fast = pair(name, stateful=True, return_sequences=True)
    for seed in (0, 1):
        x = random(BATCH, TIME, FEATURES, seed=seed)
        np.testing.assert_allclose(fast(x), stock(x), atol=1e-5)
    stock.reset_state()
    fast.reset_state()
    np.testing.assert_allclose(fast(x), stock(x), atol=1e-5)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", LAYERS)
def test_several_windows_equal_keras(name, masked, monkeypatch):
    monkeypatch.setattr(kernels, "WINDOW", 8)
    stock, fast = pair(name, return_sequences=True, go_backwards=masked)
    signature = [tf.TensorSpec((BATCH, None, FEATURES)), tf.TensorSpec((BATCH, None), "bool")]
    traced = tf.function(lambda x, m: numbers(fast, x, m if masked else None), signature)
    for time_steps in (3, 11, 16):
        x = random(BATCH, time_steps, FEATURES)
        mask = tf.constant(np.random.default_rng(1).random((BATCH, time_steps)) > 0.3)
        assert_same(numbers(stock, x, mask if masked else None), traced(x, mask))


@pytest.mark.parametrize("name", LAYERS)
def test_halves_of_a_batch_equal_keras(name, monkeypatch):
    monkeypatch.setattr(rows, "_threads", lambda: 2)
    monkeypatch.setattr(rows, "MIN_ROWS_PER_HALF", 2)
    options = {"return_sequences": True, "return_state": True}
    stock, fast = pair(name, dropout=0.3, recurrent_dropout=0.3, seed=7, **options)
    signature = [tf.TensorSpec((None, TIME, FEATURES)), tf.TensorSpec((None, TIME), "bool")]
    traced = tf.function(lambda x, m: numbers(fast, x, m), signature)
    for batch in (1, 3):
        x = random(batch, TIME, FEATURES)
        mask = tf.constant(np.random.default_rng(1).random((batch, TIME)) > 0.3)
        assert_same(numbers(stock, x, mask), traced(x, mask))


@pytest.mark.parametrize(("batch", "size"), [(0, 1), (7, 7), (9, 10), (29, 32), (225, 225)])
def test_batches_are_padded_to_the_next_size(batch, size):
    given = {
        "x": random(batch, TIME, FEATURES),
        "mask": tf.ones((batch, TIME), "bool"),
        "none": None,
    }
    padded = rows._pad_batch(given)
    assert [len(padded["x"]), len(padded["mask"])] == [size, size]
    np.testing.assert_array_equal(padded["x"][:batch], given["x"])
    assert not np.any(padded["mask"][batch:])


@pytest.mark.parametrize("name", LAYERS)
def test_padding_of_a_batch_has_no_effect(name, monkeypatch):
    monkeypatch.setattr(rows, "BATCH_SIZES", (3,))
    stock, fast = pair(name, return_sequences=True, return_state=True)
    signature = [tf.TensorSpec((None, TIME, FEATURES)), tf.TensorSpec((None, TIME), "bool")]
    traced = tf.function(lambda x, m: numbers(fast, x, m, training=False), signature)
    x, mask = random(2, TIME, FEATURES), tf.constant(MASKS["arbitrary"][:2])
    assert_same(numbers(stock, x, mask, training=False), traced(x, mask))


def test_batch_size_is_known_in_a_graph():
    """Loops in a graph need states of known shape, also after a graph with an unknown batch size."""
    layer = recurrent.LSTM(UNITS, return_sequences=True, return_state=True)
    for batch in (None, None, 1):
        spec = tf.TensorSpec((batch, 1, FEATURES))
        traced = tf.function(lambda x: layer(x)).get_concrete_function(spec)
        assert [output.shape[0] for output in traced.structured_outputs] == [batch] * 3


@pytest.mark.parametrize("name", LAYERS)
def test_inside_a_function_that_xla_compiles(name):
    stock, fast = pair(name, wrap={}, return_sequences=True)
    x, mask = random(BATCH, 70, FEATURES), tf.sequence_mask([70, 3, 68, 40], 70)
    signature = [tf.TensorSpec((None, None, FEATURES)), tf.TensorSpec((None, None), "bool")]
    step = tf.function(lambda x, m: numbers(fast, x, m), signature, jit_compile=True)
    assert_same(numbers(stock, x, mask), step(x, mask))


@pytest.mark.parametrize("name", LAYERS)
def test_gradient_with_training_false_equals_keras(name):
    stock, fast = pair(name, return_sequences=True)
    x = random(BATCH, TIME, FEATURES)
    assert_same(numbers(stock, x, training=False), numbers(fast, x, training=False))


def test_second_derivative_raises_an_error():
    _, fast = pair("lstm")
    x = random(BATCH, TIME, FEATURES)
    for target in (x, fast.cell.recurrent_kernel.value):
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = fast(x, training=True)
            slope = tf.reduce_sum(inner.gradient(y, x) ** 2)
        with pytest.raises(ZooError, match="first derivatives only"):
            outer.gradient(slope, target)


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16", "float64"])
@pytest.mark.parametrize("name", LAYERS)
def test_other_precisions(name, policy):
    stock, fast = pair(name, dtype=policy, return_sequences=True)
    exact, _ = pair(name, return_sequences=True)
    x = random(BATCH, TIME, FEATURES)
    (y,), gradients = numbers(fast, x)
    (expected,), expected_gradients = numbers(stock if policy == "float64" else exact, x)
    assert y.dtype == fast.compute_dtype
    tolerance = {"mixed_bfloat16": 2e-2, "mixed_float16": 3e-3, "float64": 1e-9}[policy]
    np.testing.assert_allclose(tf.cast(y, "float64"), expected, atol=tolerance)
    for actual, wanted in zip(gradients, expected_gradients, strict=True):
        scale = np.abs(wanted).max()
        np.testing.assert_allclose(tf.cast(actual, "float64"), wanted, atol=3 * tolerance * scale)


@pytest.mark.parametrize("name", LAYERS)
def test_bfloat16_is_as_exact_as_keras(name):
    """Compare the distances from the float32 outputs and gradients with the distances of Keras."""
    exact, _ = pair(name, return_sequences=True)
    both = pair(name, dtype="mixed_bfloat16", return_sequences=True)
    x = random(BATCH, TIME, FEATURES)

    def distances(layer):
        found, expected = (keras.tree.flatten(numbers(one, x)) for one in (layer, exact))
        pairs = zip(found, expected, strict=True)
        return [np.linalg.norm(tf.cast(a, "float32") - e) / np.linalg.norm(e) for a, e in pairs]

    of_keras, of_zoo = map(distances, both)
    assert 1e-4 < np.mean(of_zoo) < 1.2 * np.mean(of_keras)


@pytest.mark.parametrize("products", ["float32", "bfloat16"])
def test_products_outside_the_loop_have_the_dtype_of_the_layer(products):
    """All products of TensorFlow in a training step are outside the loop; XLA computes the others."""
    _, fast = pair(
        "lstm", dtype="mixed_bfloat16" if products == "bfloat16" else None, return_sequences=True
    )
    x = random(BATCH, TIME, FEATURES)
    graph = tf.function(lambda x: numbers(fast, x)).get_concrete_function(x).graph
    dtypes = [op.get_attr("T").name for op in graph.get_operations() if op.type == "MatMul"]
    assert dtypes == [products] * 4  # x K; the gradients of K, R and x


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("lstm", {"activation": "relu"}),
        ("gru", {"recurrent_activation": "hard_sigmoid"}),
        ("simple_rnn", {"activation": "relu"}),
        ("lstm", {"unroll": True}),
    ],
)
def test_unsupported_layers_are_run_by_keras(name, options, monkeypatch):
    monkeypatch.setattr(kernels, "run", None)
    stock, fast = pair(name, **options)
    x = random(BATCH, TIME, FEATURES)
    assert_same(numbers(stock, x), numbers(fast, x))


def test_layers_on_a_gpu_are_run_by_keras(monkeypatch):
    _, fast = pair("lstm")
    assert layers._covered(fast)
    monkeypatch.setattr(tf.config, "list_logical_devices", lambda kind=None: ["a GPU"])
    assert not layers._covered(fast)


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_layers_on_other_backends_are_run_by_keras(backend):
    pytest.importorskip(backend)
    code = """
import sys
sys.modules["tensorflow"] = None
import numpy as np, keras
from zoo.common.layers import recurrent
x = np.random.default_rng(0).normal(size=(2, 5, 3)).astype("float32")
stock, fast = keras.layers.GRU(4), recurrent.GRU(4)
stock.build(x.shape), fast.build(x.shape)
fast.set_weights(stock.get_weights())
np.testing.assert_array_equal(*(keras.ops.convert_to_numpy(layer(x)) for layer in (stock, fast)))
dropping = recurrent.LSTM(4, weight_drop=0.5)
kept, dropped = (keras.ops.convert_to_numpy(dropping(x, training=t)) for t in (False, True))
assert np.abs(dropped - kept).max() > 1e-4
np.testing.assert_array_equal(keras.ops.convert_to_numpy(dropping(x)), kept)
"""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
