"""Compare the recurrent layers that Keras lacks with plain loops over their equations."""

import os
import subprocess
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras.src import testing

import zoo
from zoo.common.core.errors import ZooError
from zoo.common.layers import recurrent
from zoo.common.layers.recurrent import kernels, rows
from zoo.common.layers.recurrent.diagonal import scan
from zoo.common.layers.recurrent.echo_state import SpectralRadius

BATCH, TIME, FEATURES, UNITS = 4, 9, 3, 4
LAYERS = {
    "QRNN": {},
    "MinGRU": {},
    "MinLSTM": {},
    "LRU": {},
    "RGLRU": {},
    "SLSTM": {"heads": 2},
    "MLSTM": {"heads": 2, "chunk": 4},
    "EchoState": {"leak": 0.6},
}
FAST = ("QRNN", "LRU", "SLSTM", "MLSTM")
# All layers, those that share most of their code with another one in the slow suite.
ALL = [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in LAYERS]
MASKS = {
    "none": None,
    # A gap, a late start, a row without any step, and a padded row.
    "mask": np.array(
        [[1, 1, 0, 0, 1, 1, 0, 1, 0], [0, 0, 1, 1, 1, 0, 1, 1, 1], [0] * 9, [1] * 5 + [0] * 4], bool
    ),
}


def random(*shape, seed=0, dtype="float32"):
    return tf.constant(np.random.default_rng(seed).normal(size=shape).astype(dtype))


def make(name, **options):
    """Return a layer with random weights."""
    layer = getattr(recurrent, name)(UNITS, **LAYERS[name], **options)
    layer.build((BATCH, None, FEATURES))
    for i, weight in enumerate(layer.trainable_weights):
        if weight.name.startswith(("kernel", "previous", "bias", "recurrent", "output")):
            weight.assign(0.6 * random(*weight.shape, seed=i + 1, dtype=weight.dtype))
    return layer


def make_states(layer):
    dtype = layer.compute_dtype
    sizes = enumerate(layer.cell.state_size)
    return [abs(random(BATCH, size, seed=i, dtype=dtype)) for i, size in sizes]


def numbers(layer, x, mask=None, states=None):
    """Return the outputs, and the gradients of a weighted sum of them by input, states and weights."""
    sources = [x, *(states or []), *(w.value for w in layer.trainable_weights)]
    with tf.GradientTape() as tape:
        tape.watch(sources)
        outputs = keras.tree.flatten(layer(x, mask=mask, initial_state=states, training=True))
        weights = [tf.cos(tf.cast(tf.range(tf.size(y)), y.dtype)) for y in outputs]
        pairs = zip(outputs, weights, strict=True)
        total = sum(tf.reduce_sum(y * tf.reshape(w, tf.shape(y))) for y, w in pairs)
    return outputs, tape.gradient(total, sources)


def assert_same(expected, actual):
    for one, other in zip(expected[0], actual[0], strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5 * max(1, np.abs(one).max()))
    for one, other in zip(expected[1], actual[1], strict=True):
        np.testing.assert_allclose(other, one, atol=1e-4 * np.abs(one).max())


# Equations, in float64 -----------------------------------------------------------------------------


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def weights_of(layer):
    return {w.name: np.asarray(w, "float64") for w in layer.weights}


def qrnn(w, x):
    c, before, outputs = np.zeros(UNITS), np.zeros(FEATURES), []
    for x_t in x:
        a, f, o = np.split(before @ w["previous_kernel"] + x_t @ w["kernel"] + w["bias"], 3)
        c = sigmoid(f) * c + (1 - sigmoid(f)) * np.tanh(a)
        outputs.append(sigmoid(o) * c)
        before = x_t
    return outputs


def min_gru(w, x):
    h, outputs = np.zeros(UNITS), []
    for x_t in x:
        u, candidate = np.split(x_t @ w["kernel"] + w["bias"], 2)
        h = (1 - sigmoid(u)) * h + sigmoid(u) * candidate
        outputs.append(h)
    return outputs


def min_lstm(w, x):
    h, outputs = np.zeros(UNITS), []
    for x_t in x:
        f, i, candidate = np.split(x_t @ w["kernel"] + w["bias"], 3)
        f, i = sigmoid(f), sigmoid(i)
        h = f / (f + i) * h + i / (f + i) * candidate
        outputs.append(h)
    return outputs


def lru(w, x):
    h, outputs = np.zeros(UNITS, complex), []
    decay = np.exp(-np.exp(w["log_decay"]) + 1j * np.exp(w["log_phase"]))
    scale = np.sqrt(1 - np.abs(decay) ** 2)
    real, imaginary = np.split(w["output_kernel"], 2)
    for x_t in x:
        z_real, z_imaginary, direct = np.split(x_t @ w["kernel"] + w["bias"], 3)
        h = decay * h + scale * (z_real + 1j * z_imaginary)
        outputs.append((h @ (real - 1j * imaginary)).real + direct)
    return outputs


def rglru(w, x):
    h, outputs = np.zeros(UNITS), []
    for x_t in x:
        r, i, v = np.split(x_t @ w["kernel"] + w["bias"], 3)
        a = sigmoid(w["decay"]) ** (8 * sigmoid(r))
        h = a * h + np.sqrt(1 - a**2) * sigmoid(i) * v
        outputs.append(h)
    return outputs


def slstm(w, x):
    """Without the stabilizer."""
    h, c, n, outputs = np.zeros(UNITS), np.zeros(UNITS), np.zeros(UNITS), []
    for x_t in x:
        recurrent_part = [
            head @ k for head, k in zip(np.split(h, 2), w["recurrent_kernel"], strict=True)
        ]
        by_gate = np.stack([part.reshape(4, -1) for part in recurrent_part], axis=1).reshape(
            4, UNITS
        )
        z, i, f, o = (x_t @ w["kernel"] + w["bias"]).reshape(4, UNITS) + by_gate
        c = sigmoid(f) * c + np.exp(i) * np.tanh(z)
        n = sigmoid(f) * n + np.exp(i)
        h = sigmoid(o) * c / n
        outputs.append(h)
    return outputs


def mlstm(w, x):
    """Without the stabilizer."""
    size = UNITS // 2
    memory, n, outputs = np.zeros((2, size, size)), np.zeros((2, size)), []
    for x_t in x:
        z = x_t @ w["kernel"] + w["bias"]
        q, k, v, o = z[: 4 * UNITS].reshape(4, 2, size)
        i, f = np.exp(z[4 * UNITS : -2])[:, None], sigmoid(z[-2:])[:, None]
        k = k / np.sqrt(size)
        memory = f[..., None] * memory + i[..., None] * k[:, :, None] * v[:, None, :]
        n = f * n + i * k
        read = np.einsum("hi,hij->hj", q, memory)
        divisor = np.maximum(np.abs((n * q).sum(axis=1, keepdims=True)), 1)
        outputs.append((sigmoid(o) * read / divisor).ravel())
    return outputs


def echo_state(w, x):
    h, outputs = np.zeros(UNITS), []
    for x_t in x:
        h = 0.4 * h + 0.6 * np.tanh(x_t @ w["kernel"] + h @ w["recurrent_kernel"] + w["bias"])
        outputs.append(h)
    return outputs


EQUATIONS = {
    "QRNN": qrnn,
    "MinGRU": min_gru,
    "MinLSTM": min_lstm,
    "LRU": lru,
    "RGLRU": rglru,
    "SLSTM": slstm,
    "MLSTM": mlstm,
    "EchoState": echo_state,
}


@pytest.mark.parametrize("name", LAYERS)
def test_outputs_equal_the_equations(name):
    layer, x = make(name, return_sequences=True), random(BATCH, TIME, FEATURES)
    expected = [EQUATIONS[name](weights_of(layer), row) for row in x.numpy().astype("float64")]
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)
    layer.by_steps = True
    np.testing.assert_allclose(layer(x), expected, atol=1e-5)


def test_qrnn_with_window_1_reads_one_input():
    layer, x = make("QRNN", window=1, return_sequences=True), random(BATCH, TIME, FEATURES)
    weights = weights_of(layer) | {"previous_kernel": np.zeros((FEATURES, 3 * UNITS))}
    np.testing.assert_allclose(layer(x), [qrnn(weights, row) for row in x.numpy()], atol=1e-5)
    assert layer.cell.state_size == [UNITS]


# Loops ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("reverse", "mask"), [(False, "none"), (True, "mask")])
@pytest.mark.parametrize("name", ALL)
def test_outputs_and_gradients_equal_the_loop_of_keras(name, reverse, mask):
    options = {"return_sequences": True, "return_state": True, "go_backwards": reverse}
    layer, x = make(name, **options), random(BATCH, TIME, FEATURES)
    loop = keras.layers.RNN(layer.cell, **options)
    states = make_states(layer)
    expected = numbers(loop, x, MASKS[mask], states)
    assert_same(expected, numbers(layer, x, MASKS[mask], states))
    layer.return_sequences = loop.return_sequences = False
    last = loop(x, mask=MASKS[mask], initial_state=states)[0]
    np.testing.assert_allclose(layer(x, mask=MASKS[mask], initial_state=states)[0], last, atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_masked_steps_leave_the_states_unchanged(name):
    layer = make(name, return_state=True)
    x, states = random(BATCH, TIME, FEATURES), make_states(layer)
    _, *after = layer(x, mask=np.zeros((BATCH, TIME), bool), initial_state=states)
    for one, other in zip(states, after, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-6)
    padded = np.arange(TIME) < 5
    _, *expected = layer(x[:, :5], initial_state=states)
    _, *received = layer(x, mask=np.tile(padded, (BATCH, 1)), initial_state=states)
    for one, other in zip(expected, received, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


@pytest.mark.parametrize("name", ALL)
def test_parts_of_a_sequence_equal_the_whole(name):
    layer = make(name, return_sequences=True, return_state=True)
    x = random(BATCH, TIME, FEATURES)
    whole, *last = layer(x)
    states, parts = None, []
    for start in (0, 1, 5):
        part, *states = layer(x[:, start : {0: 1, 1: 5, 5: TIME}[start]], initial_state=states)
        parts.append(part)
    np.testing.assert_allclose(tf.concat(parts, axis=1), whole, atol=1e-5)
    for one, other in zip(last, states, strict=True):
        np.testing.assert_allclose(other, one, atol=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SLSTM", "MLSTM"])
@pytest.mark.parametrize("sizes", [(None, None), (1, 9)])
def test_heads_in_a_graph(name, sizes):
    """Loops in a graph need states of known shape, and reshapes at most one unknown size."""
    layer, x = make(name, return_sequences=True), random(1, 9, FEATURES)
    traced = tf.function(lambda x: numbers(layer, x), [tf.TensorSpec((*sizes, FEATURES))])
    assert_same(numbers(layer, x), traced(x))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["QRNN", "LRU"])
def test_free_axes_and_halves_of_a_batch(name, monkeypatch):
    monkeypatch.setattr(kernels, "WINDOW", 8)
    monkeypatch.setattr(rows, "_threads", lambda: 2)
    monkeypatch.setattr(rows, "MIN_ROWS_PER_HALF", 2)
    layer = make(name, return_sequences=True, return_state=True)
    loop = keras.layers.RNN(layer.cell, return_sequences=True, return_state=True)
    signature = [tf.TensorSpec((None, None, FEATURES)), tf.TensorSpec((None, None), "bool")]
    traced = tf.function(lambda x, m: numbers(layer, x, m), signature)
    for batch, time_steps in ((1, 3), (3, 11), (4, 16)):
        x = random(batch, time_steps, FEATURES)
        mask = tf.constant(np.random.default_rng(1).random((batch, time_steps)) > 0.3)
        assert_same(numbers(loop, x, mask), traced(x, mask))


@pytest.mark.slow
@pytest.mark.parametrize("name", ["MinGRU", "LRU"])
def test_inside_a_function_that_xla_compiles(name):
    layer, x = make(name, return_sequences=True), random(BATCH, 70, FEATURES)
    step = tf.function(lambda x: numbers(layer, x), jit_compile=True)
    assert_same(numbers(keras.layers.RNN(layer.cell, return_sequences=True), x), step(x))


@pytest.mark.parametrize(
    "name",
    [
        "QRNN",
        "LRU",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("MinGRU", "MinLSTM", "RGLRU")),
    ],
)
def test_gradients_equal_finite_differences(name):
    layer = make(name, dtype="float64", return_sequences=True)
    x, direction = (random(2, 5, FEATURES, seed=seed, dtype="float64") for seed in (0, 1))
    targets = [x, *(weight.value for weight in layer.trainable_weights)]
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(tf.sin(layer(x)))
    gradients = tape.gradient(loss, targets)

    def difference(change):
        values = []
        for sign in (1, -1):
            change(sign * 1e-6)
            values.append(float(tf.reduce_sum(tf.sin(layer(moved)))))
            change(-sign * 1e-6)
        return (values[0] - values[1]) / 2e-6

    moved = tf.Variable(x)
    slope = difference(lambda size: moved.assign_add(size * direction))
    assert slope == pytest.approx(float(tf.reduce_sum(gradients[0] * direction)), rel=1e-6)
    for weight, gradient in zip(layer.trainable_weights, gradients[1:], strict=True):
        way = random(*weight.shape, seed=2, dtype="float64")
        slope = difference(lambda size, w=weight, way=way: w.assign(w + size * way))
        assert slope == pytest.approx(float(tf.reduce_sum(gradient * way)), rel=1e-6, abs=1e-8)


@pytest.mark.parametrize("name", ["RGLRU", "LRU", pytest.param("MLSTM", marks=pytest.mark.slow)])
def test_long_sequences_stay_finite(name):
    layer, x = make(name, return_sequences=True), 3 * random(1, 20_000, FEATURES)
    (y,), gradients = tf.function(lambda x: numbers(layer, x))(x)
    assert np.isfinite(y).all()
    for gradient in gradients:
        assert np.isfinite(gradient).all()


@pytest.mark.parametrize("name", ["MinLSTM", "RGLRU", "SLSTM", "MLSTM"])
def test_extreme_inputs_stay_finite(name):
    layer = make(name, return_sequences=True)
    for scale in (100.0, -100.0):
        (y,), gradients = numbers(layer, tf.fill((2, 20, FEATURES), scale))
        assert np.isfinite(y).all()
        for gradient in gradients:
            assert np.isfinite(gradient).all()


def test_nan_reaches_only_the_outputs_after_it():
    layer, x = make("MinGRU", return_sequences=True), random(BATCH, TIME, FEATURES).numpy()
    x[1, 4, 0] = np.nan
    y = np.isnan(layer(x))
    assert y[1, 4:].all()
    assert y.sum() == y[1, 4:].size


def test_second_derivative_raises_an_error():
    layer, x = make("MinGRU"), random(BATCH, TIME, FEATURES)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = layer(x)
        slope = tf.reduce_sum(inner.gradient(y, x) ** 2)
    with pytest.raises(ZooError, match="first derivatives only"):
        outer.gradient(slope, x)


# The behaviour of Keras's layers -------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["LRU", *(pytest.param(n, marks=pytest.mark.slow) for n in LAYERS if n != "LRU")]
)
def test_behaviour_of_layers_of_keras(name):
    """Build, shapes, serialization, masks, mixed precision, symbolic calls and a training step."""
    layer = make(name)
    trainable, fixed = len(layer.trainable_weights), len(layer.non_trainable_weights)
    case = testing.TestCase()
    case.setUp()
    for sequences, shape in ((False, (3, 4)), (True, (3, 2, 4))):
        case.run_layer_test(
            getattr(recurrent, name),
            init_kwargs={"units": 4, **LAYERS[name], "return_sequences": sequences},
            input_shape=(3, 2, 4),
            expected_output_shape=shape,
            expected_num_trainable_weights=trainable,
            expected_num_non_trainable_weights=fixed,
            supports_masking=True,
            run_training_check=trainable > 0,
        )


@pytest.mark.parametrize("name", ["QRNN", "MLSTM"])
def test_stateful_layer_keeps_its_states(name):
    layer = make(name, stateful=True, return_sequences=True)
    stateless = recurrent.__dict__[name].from_config({**layer.get_config(), "stateful": False})
    stateless.build((BATCH, None, FEATURES))
    for old, new in zip(layer.cell.weights, stateless.weights, strict=True):
        new.assign(old)
    x = random(BATCH, TIME, FEATURES)
    whole = stateless(x)
    np.testing.assert_allclose(layer(x[:, :4]), whole[:, :4], atol=1e-5)
    np.testing.assert_allclose(layer(x[:, 4:]), whole[:, 4:], atol=1e-5)
    layer.reset_state()
    np.testing.assert_allclose(layer(x[:, :4]), whole[:, :4], atol=1e-5)


@pytest.mark.parametrize("merge_mode", ["concat", "sum", "ave", "mul", None])
@pytest.mark.parametrize("name", ["MinGRU"])
def test_bidirectional_merges_two_directions(name, merge_mode):
    layer = getattr(recurrent, name)(UNITS, **LAYERS[name], return_sequences=True)
    both = recurrent.Bidirectional(layer, merge_mode=merge_mode)
    x, mask = random(BATCH, TIME, FEATURES), MASKS["mask"]
    outputs = both(x, mask=mask)
    ahead, back = (one(x, mask=mask) for one in (both.forward_layer, both.backward_layer))
    back = tf.reverse(back, [1])
    expected = {
        "concat": lambda: tf.concat([ahead, back], -1),
        "sum": lambda: ahead + back,
        "ave": lambda: (ahead + back) / 2,
        "mul": lambda: ahead * back,
        None: lambda: (ahead, back),
    }[merge_mode]()
    for one, other in zip(keras.tree.flatten(expected), keras.tree.flatten(outputs), strict=True):
        np.testing.assert_allclose(other, one, atol=1e-6)
    assert not np.any(ahead[2])  # masked outputs are zero


@pytest.mark.parametrize("name", ALL)
def test_files_and_conversions_keep_the_layer(name, tmp_path):
    x = keras.Input((None, FEATURES), name="x")
    layer = getattr(zoo.layers, name)(UNITS, **LAYERS[name], return_sequences=True, name="inner")
    y = keras.layers.Bidirectional(layer, name="both")(x)
    y = getattr(zoo.layers, name)(UNITS, **LAYERS[name], name="top")(y)
    model = keras.Model({"x": x}, {"y": y})
    batch = {"x": random(BATCH, TIME, FEATURES)}
    expected = model(batch)["y"]
    for converted in (zoo.accelerate(model), zoo.to_stock(model)):
        np.testing.assert_allclose(converted(batch)["y"], expected, atol=1e-6)
        assert [w.path for w in converted.weights] == [w.path for w in model.weights]
        for own, shared in zip(model.weights, converted.weights, strict=True):
            assert own is shared
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras", safe_mode=True)
    np.testing.assert_allclose(loaded(batch)["y"], expected, atol=1e-6)
    assert loaded.get_layer("top").get_config() == model.get_layer("top").get_config()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
@pytest.mark.parametrize("name", ["QRNN", "LRU"])
def test_half_precision(name, policy):
    exact = make(name, return_sequences=True)
    layer = make(name, return_sequences=True, dtype=policy)
    for own, given in zip(layer.weights, exact.weights, strict=True):
        own.assign(given)
    x = random(BATCH, TIME, FEATURES)
    y = layer(x)
    assert y.dtype == layer.compute_dtype
    tolerance = 5e-2 if policy == "mixed_bfloat16" else 5e-3
    expected = exact(x)
    scale = max(1, np.abs(expected).max())
    np.testing.assert_allclose(tf.cast(y, "float32"), expected, atol=tolerance * scale)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends(backend, tmp_path):
    """Compare outputs, states and a gradient on JAX and PyTorch with those on TensorFlow."""
    pytest.importorskip(backend)
    expected = {}
    for name in LAYERS:
        layer = make(name, return_sequences=True, return_state=True, go_backwards=True)
        x, states = random(BATCH, TIME, FEATURES), make_states(layer)
        outputs = layer(x, mask=MASKS["mask"], initial_state=states)
        for kind, arrays in (("weight", layer.weights), ("state", states), ("output", outputs)):
            expected |= {f"{name}/{kind}{i}": np.asarray(a) for i, a in enumerate(arrays)}
    np.savez(tmp_path / "expected.npz", x=x, mask=MASKS["mask"], **expected)
    code = """
import sys
sys.modules["tensorflow"] = None
import numpy as np, keras
import zoo
given, layers = np.load(sys.argv[1]), eval(sys.argv[2])
def of(name, kind):
    return [given[f"{name}/{kind}{i}"] for i in range(9) if f"{name}/{kind}{i}" in given]
for name, options in layers.items():
    layer = getattr(zoo.layers, name)(4, return_sequences=True, return_state=True,
                                      go_backwards=True, **options)
    layer.build(given["x"].shape)
    layer.set_weights(of(name, "weight"))
    states = [keras.ops.convert_to_tensor(state) for state in of(name, "state")]
    outputs = layer(given["x"], mask=given["mask"], initial_state=states)
    for one, other in zip(of(name, "output"), outputs, strict=True):
        np.testing.assert_allclose(keras.ops.convert_to_numpy(other), one, atol=2e-5)
"""
    environment = {**os.environ, "KERAS_BACKEND": backend}
    command = [sys.executable, "-c", code, str(tmp_path / "expected.npz"), repr(LAYERS)]
    subprocess.run(command, check=True, env=environment)


# Arguments -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("MinGRU", {"units": 0}, "units must be at least 1. Received: 0."),
        ("QRNN", {"window": 3}, "window must be one of 1, 2. Received: 3."),
        ("LRU", {"max_decay": 1.0}, "max_decay must be above 0 and below 1. Received: 1.0."),
        ("RGLRU", {"min_decay": 0.0}, "min_decay must be above 0 and below 1. Received: 0.0."),
        ("RGLRU", {"min_decay": float("nan")}, "min_decay must be above 0 and below 1"),
        ("LRU", {"min_decay": 0.9, "max_decay": 0.8}, "min_decay must be at most max_decay"),
        ("SLSTM", {"heads": 3}, r"units must be a multiple of heads \(3\). Received: 4."),
        ("MLSTM", {"chunk": 0}, "chunk must be at least 1. Received: 0."),
        ("EchoState", {"leak": 1.5}, "leak must be above 0 and at most 1. Received: 1.5."),
        ("EchoState", {"spectral_radius": 0}, "spectral_radius must be above 0. Received: 0."),
    ],
)
def test_invalid_arguments(name, options, message):
    with pytest.raises(ZooError, match=message):
        getattr(recurrent, name)(**{"units": UNITS, **options})


@pytest.mark.parametrize("name", ALL)
def test_states_of_the_wrong_shape(name):
    layer = make(name)
    states = [*make_states(layer)[:-1], tf.zeros((BATCH, UNITS + 1))]
    with pytest.raises(ZooError, match=f"initial_state of {name} must have the shapes"):
        layer(random(BATCH, TIME, FEATURES), initial_state=states)


def test_a_chunk_longer_than_the_sequence_has_no_effect():
    short, long = (make("MLSTM", return_sequences=True) for _ in range(2))
    long.cell.chunk = 100
    x = random(BATCH, TIME, FEATURES)
    np.testing.assert_allclose(long(x), short(x), atol=1e-5)


def test_scan_of_a_constant_decay():
    """h_t = h_{t-1} / 2 + 1 tends to 2."""

    def half(z):
        return (tf.fill(tf.shape(z), 0.5),), (z,)

    (h,), (last,) = scan(half, tf.ones((30, 1, 1)), (), (tf.zeros((1, 1)),))
    np.testing.assert_allclose(h[:3, 0, 0], [1, 1.5, 1.75])
    np.testing.assert_allclose(last, [[2]], atol=1e-6)


def test_spectral_radius():
    matrix = SpectralRadius(0.7, seed=3)((20, 20))
    assert np.abs(np.linalg.eigvals(matrix)).max() == pytest.approx(0.7)


def test_an_echo_state_layer_forgets_its_initial_state():
    layer, x = make("EchoState"), random(BATCH, 200, FEATURES)
    assert layer.trainable_weights == []
    near, far = (layer(x, initial_state=[tf.fill((BATCH, UNITS), v)]) for v in (-1.0, 1.0))
    np.testing.assert_allclose(near, far, atol=1e-5)
