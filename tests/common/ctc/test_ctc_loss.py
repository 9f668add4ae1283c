"""Compare the CTC loss with the sum over all paths, with PyTorch and with TensorFlow."""

import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

import zoo
from tests.common.ctc.every_path import collapse, log_softmax
from zoo.common.core.errors import ZooError
from zoo.common.ctc.alignment import min_frames
from zoo.common.ctc.loss import ctc_loss
from zoo.common.data.labels import BLANK_INDEX


def exact(logits, labels):
    """Return -ln p(labels) as a sum over all paths, and its gradient by central differences."""
    step = 1e-5
    time_steps, symbols = logits.shape
    paths = itertools.product(range(symbols), repeat=time_steps)
    paths = [path for path in paths if collapse(path) == tuple(labels)]
    picked = np.array(paths, np.int64).reshape(-1, time_steps)
    logits = logits.astype(np.float64)

    def loss(nudge):
        log_probs = log_softmax(logits + nudge)
        return -np.logaddexp.reduce(log_probs[np.arange(time_steps), picked].sum(axis=1))

    nudges = step * np.eye(logits.size).reshape(-1, *logits.shape)
    slopes = [(loss(nudge) - loss(-nudge)) / (2 * step) for nudge in nudges]
    return loss(0.0), np.reshape(slopes, logits.shape)


def padded(rows):
    lengths = np.array([len(row) for row in rows], np.int32)
    labels = np.full((len(rows), max(lengths)), BLANK_INDEX, np.int32)
    for row, values in zip(labels, rows, strict=True):
        row[: len(values)] = values
    return labels, lengths


def loss_and_gradient(logits, logit_lengths, labels, label_lengths, loss=ctc_loss):
    logits = tf.convert_to_tensor(logits)
    with tf.GradientTape() as tape:
        tape.watch(logits)
        value = loss(logits, logit_lengths, labels, label_lengths)
    return value.numpy(), tape.gradient(value, logits).numpy()


def small_batch(seed=0):
    """Return a batch of four symbols: repeated labels, no labels, minimum lengths, short lengths.

    Most tests below have six rows, because XLA compiles the loss once per shape.
    """
    logits = 2.0 * np.random.RandomState(seed).standard_normal((6, 5, 4)).astype(np.float32)
    labels, label_lengths = padded([[1, 2], [3, 3], [], [1, 2, 3], [2, 2, 2], [1]])
    return logits, np.array([5, 4, 3, 3, 5, 1], np.int32), labels, label_lengths


@pytest.mark.parametrize("seed", range(4))
def test_loss_and_gradient_equal_the_sum_over_all_paths(seed):
    logits, logit_lengths, labels, label_lengths = small_batch(seed)
    loss, gradient = loss_and_gradient(logits, logit_lengths, labels, label_lengths)
    assert loss.dtype == gradient.dtype == np.float32
    for row, (frames, count) in enumerate(zip(logit_lengths, label_lengths, strict=True)):
        expected, slope = exact(logits[row, :frames], labels[row, :count])
        assert loss[row] == pytest.approx(expected, rel=1e-6)
        np.testing.assert_allclose(gradient[row, :frames], slope, atol=1e-6)
        assert not gradient[row, frames:].any()


def test_gradient_of_a_weighted_loss():
    batch = small_batch()
    weights = np.arange(6, dtype=np.float32)
    _, plain = loss_and_gradient(*batch)
    _, weighted = loss_and_gradient(*batch, loss=lambda *args: ctc_loss(*args) * weights)
    np.testing.assert_allclose(weighted, plain * weights[:, None, None], atol=1e-7)


def test_long_rows_match_pytorch():
    """The expected values are those of torch.nn.functional.ctc_loss of PyTorch 2.13 in float64."""
    random = np.random.RandomState(42)
    logits = (3.0 * random.standard_normal((4, 300, 12))).astype(np.float32)
    labels = random.randint(1, 12, (4, 60)).astype(np.int32)
    labels[1, :20] = 5
    loss, gradient = loss_and_gradient(logits, [300, 260, 121, 299], labels, [60, 45, 60, 0])
    expected = [888.3991687680316, 857.0765587765786, 334.49797521573436, 1556.7404234751837]
    np.testing.assert_allclose(loss, expected, rtol=3e-7)
    norms = [14.512373952319223, 15.593999212482862, 8.731680626108016, 20.02234102615637]
    np.testing.assert_allclose(np.sqrt((gradient**2).sum(axis=(1, 2))), norms, rtol=1e-6)
    some = gradient[[0, 1, 2, 3], [10, 100, 60, 150], [5, 0, 3, 0]]
    expected = [0.8915265306387448, -0.5353662210323024, 0.1795124007221291, -0.8117925912646244]
    np.testing.assert_allclose(some, expected, atol=5e-6)


def test_loss_and_gradient_match_the_dense_loss_of_tensorflow():
    def dense(logits, logit_lengths, labels, label_lengths):
        return tf.nn.ctc_loss(
            labels, logits, label_lengths, logit_lengths, logits_time_major=False, blank_index=0
        )

    random = np.random.RandomState(8)
    logits = random.standard_normal((6, 40, 4)).astype(np.float32)
    batch = logits, [40, 40, 31, 25, 16, 1], random.randint(1, 4, (6, 8)), [8, 4, 7, 0, 8, 1]
    loss, gradient = loss_and_gradient(*batch)
    expected_loss, expected_gradient = loss_and_gradient(*batch, loss=dense)
    np.testing.assert_allclose(loss, expected_loss, rtol=1e-5)
    np.testing.assert_allclose(gradient, expected_gradient, atol=2e-4)


def test_confident_wrong_logits_do_not_underflow():
    """The best path to the labels is e^-400 or e^-600 times as probable as the blanks."""
    logits, _, labels, label_lengths = small_batch()
    logits[..., BLANK_INDEX] += 200.0
    loss, gradient = loss_and_gradient(logits, [5] * 6, labels, label_lengths)
    assert loss.max() > 500.0
    for row, count in enumerate(label_lengths):
        expected, slope = exact(logits[row], labels[row, :count])
        assert loss[row] == pytest.approx(expected, rel=1e-6)
        np.testing.assert_allclose(gradient[row], slope, atol=5e-5)


@pytest.mark.parametrize("filler", [0.0, 50.0, np.nan, np.inf])
def test_padding_in_time_labels_and_batch_has_no_effect(filler):
    logits, logit_lengths, labels, label_lengths = small_batch()
    loss, gradient = loss_and_gradient(logits, logit_lengths, labels, label_lengths)
    wide = np.full((8, 70, 4), filler, np.float32)
    for row, frames in enumerate(logit_lengths):
        wide[row, :frames] = logits[row, :frames]
    wide_labels = np.full((8, 40), 3, np.int32)
    wide_labels[:6, : labels.shape[1]] = np.where(labels == BLANK_INDEX, 2, labels)
    wide_loss, wide_gradient = loss_and_gradient(
        wide, np.pad(logit_lengths, (0, 2)), wide_labels, np.pad(label_lengths, (0, 2))
    )
    np.testing.assert_allclose(wide_loss[:6], loss, rtol=1e-6)
    np.testing.assert_allclose(wide_gradient[:6, :5], gradient, atol=1e-6)
    assert not wide_loss[6:].any()  # no frames and no labels: probability 1
    assert not wide_gradient[6:].any()
    assert not wide_gradient[:, 5:].any()


def test_loss_is_infinite_below_min_frames():
    rows = [[1], [1, 2, 3], [1, 1], [2, 2, 2, 1, 1], [1, 2, 1, 2], [3, 3, 3]]
    frames = np.array([1, 3, 3, 8, 4, 5])
    assert [min_frames(row) for row in rows] == frames.tolist()
    assert min_frames(np.array(rows[3], np.int32)) == 8
    assert min_frames([]) == 0
    logits = np.random.RandomState(1).standard_normal((6, 8, 4)).astype(np.float32)
    loss, gradient = loss_and_gradient(logits, frames, *padded(rows))
    assert np.isfinite(loss).all()
    assert np.isfinite(gradient).all()
    loss, gradient = loss_and_gradient(logits, frames - 1, *padded(rows))
    assert np.isposinf(loss).all()
    assert not gradient.any()


def test_unknown_symbols_and_blanks_in_labels_are_impossible():
    logits = small_batch()[0]
    rows = [[1, BLANK_INDEX, 2], [BLANK_INDEX], [1, 4, 2], [2, 3, 99], [-1], [1, 2, 3]]
    loss, gradient = loss_and_gradient(logits, [5] * 6, *padded(rows))
    assert np.isposinf(loss).tolist() == [True] * 5 + [False]
    assert gradient.any(axis=(1, 2)).tolist() == [False] * 5 + [True]


def test_symbol_with_infinite_logits_is_impossible():
    logits, logit_lengths, labels, label_lengths = small_batch()
    logits[..., 3] = -np.inf
    loss, gradient = loss_and_gradient(logits, logit_lengths, labels, label_lengths)
    assert np.isposinf(loss).tolist() == [False, True, False, True, False, False]
    expected, slope = exact(logits[0, :, :3], labels[0, :2])
    assert loss[0] == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradient[0, :, :3], slope, atol=1e-6)
    assert np.isfinite(gradient).all()


def test_nan_logits_give_a_nan_loss():
    logits, *rest = small_batch()
    logits[1, 2, 1] = np.nan
    loss = ctc_loss(logits, *rest).numpy()
    assert np.isnan(loss).tolist() == [False, True, False, False, False, False]


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_other_dtypes_are_computed_in_float32(dtype):
    logits, *rest = small_batch()
    logits = tf.cast(logits, dtype)
    loss, gradient = loss_and_gradient(logits, *rest)
    expected, expected_gradient = loss_and_gradient(tf.cast(logits, tf.float32), *rest)
    assert loss.dtype == np.float32
    assert gradient.dtype == logits.dtype.as_numpy_dtype
    np.testing.assert_array_equal(loss, expected)
    np.testing.assert_allclose(gradient.astype(np.float32), expected_gradient, atol=4e-3)


@pytest.mark.parametrize("jit_compile", [False, True])
def test_loss_in_a_graph_with_unknown_shapes(jit_compile):
    @tf.function(
        jit_compile=jit_compile,
        input_signature=[
            tf.TensorSpec([None, None, 4], tf.float32),
            tf.TensorSpec([None], tf.int32),
            tf.TensorSpec([None, None], tf.int32),
            tf.TensorSpec([None], tf.int32),
        ],
    )
    def traced(logits, logit_lengths, labels, label_lengths):
        loss = ctc_loss(logits, logit_lengths, labels, label_lengths)
        return loss, tf.gradients(loss, logits)[0]

    logits, logit_lengths, labels, label_lengths = small_batch()
    no_labels = logits, logit_lengths, labels[:, :0], 0 * label_lengths
    for batch in (small_batch(), no_labels):
        expected_loss, expected_gradient = loss_and_gradient(*batch)
        loss, gradient = traced(*batch)
        np.testing.assert_allclose(loss, expected_loss, rtol=1e-6)
        np.testing.assert_allclose(gradient, expected_gradient, atol=1e-6)


def test_second_derivative_raises_an_error():
    batch = [tf.convert_to_tensor(part) for part in small_batch()]
    with tf.GradientTape() as outer:
        outer.watch(batch[0])
        with tf.GradientTape() as inner:
            inner.watch(batch[0])
            loss = ctc_loss(*batch)
        slope = inner.gradient(loss, batch[0])
    with pytest.raises(ZooError, match="first derivatives only"):
        outer.gradient(slope, batch[0])


OTHER_BACKEND = """
import sys
sys.modules["tensorflow"] = None
import numpy as np
from zoo.common.ctc.loss import ctc_loss
batch = np.load(sys.argv[1])
loss = ctc_loss(*(batch[name] for name in ("logits", "lengths", "labels", "label_lengths")))
np.save(sys.argv[2], np.asarray(loss))
"""


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_other_backends_have_the_same_loss(backend, tmp_path):
    """Other backends use the loss of Keras and do not import TensorFlow."""
    pytest.importorskip(backend)
    batch = small_batch()
    names = ("logits", "lengths", "labels", "label_lengths")
    np.savez(tmp_path / "batch.npz", **dict(zip(names, batch, strict=True)))
    command = [sys.executable, "-c", OTHER_BACKEND, tmp_path / "batch.npz", tmp_path / "loss.npy"]
    environment = os.environ | {"KERAS_BACKEND": backend}
    subprocess.run(command, check=True, env=environment, cwd=Path(zoo.__file__).parents[1])
    np.testing.assert_allclose(np.load(tmp_path / "loss.npy"), ctc_loss(*batch), rtol=1e-5)
