"""CTC against exhaustive search over every path, PyTorch's numbers and TensorFlow's own ops."""

import itertools

import numpy as np
import pytest
import tensorflow as tf

from zoo.common.ctc import BLANK_INDEX, align, beam_decode, ctc_loss, greedy_decode, min_frames
from zoo.common.errors import ZooError


def log_softmax(logits):
    return logits - np.logaddexp.reduce(logits, axis=-1, keepdims=True)


def collapse(path):
    return tuple(symbol for symbol, _ in itertools.groupby(path) if symbol != BLANK_INDEX)


def labellings(logits):
    """Return {labelling: (log probability, best path, its log probability)} over every path."""
    time_steps, symbols = logits.shape
    log_probs = log_softmax(np.asarray(logits, np.float64))
    found = {}
    for path in itertools.product(range(symbols), repeat=time_steps):
        score = sum(log_probs[frame, symbol] for frame, symbol in enumerate(path))
        total, best, best_score = found.get(collapse(path), (-np.inf, None, -np.inf))
        if score > best_score:
            best, best_score = path, score
        found[collapse(path)] = np.logaddexp(total, score), best, best_score
    return found


def exact(logits, labels, step=1e-5):
    """Return -ln p(labels) over every path that collapses to them, and its central differences."""
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
    """Four symbols; repeats, no labels, labels that just fit, short lengths.

    Six rows, as in most tests below: XLA compiles the loss once for each shape.
    """
    logits = 2.0 * np.random.RandomState(seed).standard_normal((6, 5, 4)).astype(np.float32)
    labels, label_lengths = padded([[1, 2], [3, 3], [], [1, 2, 3], [2, 2, 2], [1]])
    return logits, np.array([5, 4, 3, 3, 5, 1], np.int32), labels, label_lengths


@pytest.mark.parametrize("seed", range(4))
def test_loss_sums_over_every_path_and_the_gradient_is_its_slope(seed):
    logits, logit_lengths, labels, label_lengths = small_batch(seed)
    loss, gradient = loss_and_gradient(logits, logit_lengths, labels, label_lengths)
    assert loss.dtype == gradient.dtype == np.float32
    for row, (frames, count) in enumerate(zip(logit_lengths, label_lengths, strict=True)):
        expected, slope = exact(logits[row, :frames], labels[row, :count])
        assert loss[row] == pytest.approx(expected, rel=1e-6)
        np.testing.assert_allclose(gradient[row, :frames], slope, atol=1e-6)
        assert not gradient[row, frames:].any()


def test_gradient_follows_the_weights_of_a_weighted_loss():
    batch = small_batch()
    weights = np.arange(6, dtype=np.float32)
    _, plain = loss_and_gradient(*batch)
    _, weighted = loss_and_gradient(*batch, loss=lambda *args: ctc_loss(*args) * weights)
    np.testing.assert_allclose(weighted, plain * weights[:, None, None], atol=1e-7)


def test_long_rows_match_pytorch():
    """torch.nn.functional.ctc_loss of PyTorch 2.13 in float64, its gradients and their norms."""
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


def test_confident_and_wrong_logits_do_not_underflow():
    """The likeliest path to the labels is e^-400 times as likely as the blanks, or e^-600."""
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


def test_labels_fit_in_min_frames_and_in_no_fewer():
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


def test_labels_that_are_no_symbols_are_impossible():
    logits = small_batch()[0]
    rows = [[1, BLANK_INDEX, 2], [BLANK_INDEX], [1, 4, 2], [2, 3, 99], [-1], [1, 2, 3]]
    loss, gradient = loss_and_gradient(logits, [5] * 6, *padded(rows))
    assert np.isposinf(loss).tolist() == [True] * 5 + [False]
    assert gradient.any(axis=(1, 2)).tolist() == [False] * 5 + [True]


def test_a_symbol_ruled_out_by_infinite_logits_is_impossible():
    logits, logit_lengths, labels, label_lengths = small_batch()
    logits[..., 3] = -np.inf
    loss, gradient = loss_and_gradient(logits, logit_lengths, labels, label_lengths)
    assert np.isposinf(loss).tolist() == [False, True, False, True, False, False]
    expected, slope = exact(logits[0, :, :3], labels[0, :2])
    assert loss[0] == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(gradient[0, :, :3], slope, atol=1e-6)
    assert np.isfinite(gradient).all()


def test_a_nan_within_the_true_length_is_not_hidden():
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
def test_loss_in_a_graph_with_free_shapes(jit_compile):
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


def test_a_second_derivative_is_refused():
    batch = [tf.convert_to_tensor(part) for part in small_batch()]
    with tf.GradientTape() as outer:
        outer.watch(batch[0])
        with tf.GradientTape() as inner:
            inner.watch(batch[0])
            loss = ctc_loss(*batch)
        slope = inner.gradient(loss, batch[0])
    with pytest.raises(ZooError, match="first derivatives only"):
        outer.gradient(slope, batch[0])


def decoded_rows(labels, label_lengths):
    labels, label_lengths = np.asarray(labels), np.asarray(label_lengths)
    assert labels.dtype == label_lengths.dtype == np.int32
    assert labels.shape[1] == label_lengths.max()
    columns = np.arange(labels.shape[1])
    assert not labels[columns >= label_lengths[:, None]].any()
    return [tuple(row[:count]) for row, count in zip(labels, label_lengths, strict=True)]


@pytest.mark.parametrize("seed", range(3))
def test_greedy_collapses_the_best_symbol_of_each_frame(seed):
    logits = np.random.RandomState(seed).standard_normal((5, 30, 4)).astype(np.float32)
    logits[2, :, BLANK_INDEX] += 20.0  # an empty answer
    lengths = np.array([30, 17, 20, 1, 0], np.int32)
    labels, label_lengths, log_probability = greedy_decode(logits, lengths)
    rows = decoded_rows(labels, label_lengths)
    log_probability = log_probability.numpy()
    for row, frames in enumerate(lengths):
        assert rows[row] == collapse(logits[row, :frames].argmax(axis=-1))
        expected = log_softmax(logits[row, :frames]).max(axis=-1).sum()
        assert log_probability[row] == pytest.approx(expected, abs=1e-4)
    assert rows[2] == ()


@pytest.mark.parametrize("seed", range(3))
def test_beam_wide_enough_finds_the_most_probable_labelling(seed):
    logits = np.random.RandomState(seed).standard_normal((3, 5, 4)).astype(np.float32)
    lengths = np.array([5, 3, 4], np.int32)
    labels, label_lengths, log_probability = beam_decode(logits, lengths, beam_width=400)
    rows = decoded_rows(labels, label_lengths)
    log_probability = log_probability.numpy()
    for row, frames in enumerate(lengths):
        found = labellings(logits[row, :frames])
        best = max(found, key=lambda labelling: found[labelling][0])
        assert rows[row] == best
        assert log_probability[row] == pytest.approx(found[best][0], abs=1e-5)


def test_beam_prefers_a_likely_labelling_to_the_likeliest_path():
    """Graves's example: two frames, p(blank) = 0.6 and p(1) = 0.4: p([1]) = 0.64, p([]) = 0.36."""
    logits = np.log([[[0.6, 0.4], [0.6, 0.4]]])
    labels, _, log_probability = beam_decode(logits, [2])
    assert labels.numpy().tolist() == [[1]]
    assert np.exp(log_probability[0]) == pytest.approx(0.64)
    labels, label_lengths, log_probability = greedy_decode(logits, [2])
    assert (labels.shape, label_lengths.numpy().tolist()) == ((1, 0), [0])
    assert np.exp(log_probability[0]) == pytest.approx(0.36)


def test_decoders_ignore_padded_frames():
    logits = np.random.RandomState(5).standard_normal((2, 9, 6)).astype(np.float32)
    loud = np.concatenate([logits, np.full((2, 4, 6), 30.0, np.float32)], axis=1)
    for decode in (greedy_decode, beam_decode):
        for answer, expected in zip(decode(loud, [9, 6]), decode(logits, [9, 6]), strict=True):
            np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("decode", [greedy_decode, beam_decode])
def test_decoder_in_a_saved_model_with_free_batch_and_time(decode, tmp_path):
    signature = [tf.TensorSpec([None, None, 5], tf.float32), tf.TensorSpec([None], tf.int32)]
    module = tf.Module()
    module.decode = tf.function(decode, input_signature=signature)
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    for batch, time_steps in ((1, 4), (3, 11)):
        logits = np.random.RandomState(batch).standard_normal((batch, time_steps, 5))
        lengths = np.arange(time_steps, time_steps - batch, -1, dtype=np.int32)
        answers = loaded.decode(tf.cast(logits, tf.float32), lengths)
        for answer, expected in zip(answers, decode(logits, lengths), strict=True):
            np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("labels", [[1, 2], [3, 3], [2, 1, 2], [1], [], [1, 2, 3, 1, 2, 3]])
def test_alignment_is_the_best_of_all_paths(labels):
    logits = np.random.RandomState(len(labels)).standard_normal((6, 4))
    _, path, score = labellings(logits)[tuple(labels)]
    alignment = align(logits, labels)
    assert alignment.log_probability == pytest.approx(score)
    runs = []
    for symbol, frames in itertools.groupby(range(6), key=lambda frame: path[frame]):
        if symbol != BLANK_INDEX:
            frames = list(frames)
            spike = frames[np.argmax(log_softmax(logits)[frames, symbol])]
            runs.append((frames[0], frames[-1], spike))
    assert list(zip(alignment.first, alignment.last, alignment.spike, strict=True)) == runs
    again = align(log_softmax(logits), labels)
    assert again.log_probability == pytest.approx(score)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, 1, 2], "need 4 frames.*Received: 3 frames"),
        ([1, 4], r"1 \.\. 3. Received: \[1, 4\]"),
        ([BLANK_INDEX], r"1 \.\. 3. Received: \[0\]"),
    ],
)
def test_labels_that_cannot_be_aligned_are_named(labels, message):
    with pytest.raises(ZooError, match=message):
        align(np.zeros((3, 4)), labels)
