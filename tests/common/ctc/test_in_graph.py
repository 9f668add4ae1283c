"""Test the searches in a TensorFlow graph: small inputs, SavedModels, and equality with NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from tests.common.ctc.every_path import collapse, labellings, log_likelihood, log_softmax
from zoo.common.ctc import in_graph
from zoo.common.ctc.search import beam_search, greedy_search
from zoo.common.data.labels import BLANK_INDEX


def found_rows(labels, label_lengths):
    labels, label_lengths = np.asarray(labels), np.asarray(label_lengths)
    assert labels.dtype == label_lengths.dtype == np.int32
    assert labels.shape[1] == label_lengths.max()
    columns = np.arange(labels.shape[1])
    assert not labels[columns >= label_lengths[:, None]].any()
    return [tuple(row[:count]) for row, count in zip(labels, label_lengths, strict=True)]


@pytest.mark.parametrize("seed", range(3))
def test_greedy_search_collapses_the_best_path(seed):
    logits = np.random.RandomState(seed).standard_normal((5, 30, 4)).astype(np.float32)
    logits[2, :, BLANK_INDEX] += 20.0  # an empty labelling
    lengths = np.array([30, 17, 20, 1, 0], np.int32)
    labels, label_lengths, log_probability = in_graph.greedy_search(logits, lengths)
    rows = found_rows(labels, label_lengths)
    log_probability = log_probability.numpy()
    for row, frames in enumerate(lengths):
        assert rows[row] == collapse(logits[row, :frames].argmax(axis=-1))
        expected = log_softmax(logits[row, :frames]).max(axis=-1).sum()
        assert log_probability[row] == pytest.approx(expected, abs=1e-4)
    assert rows[2] == ()


@pytest.mark.parametrize("seed", range(3))
def test_wide_beam_finds_the_most_probable_labelling(seed):
    logits = np.random.RandomState(seed).standard_normal((3, 5, 4)).astype(np.float32)
    lengths = np.array([5, 3, 4], np.int32)
    labels, label_lengths, log_probability = in_graph.beam_search(logits, lengths, beam_width=400)
    rows = found_rows(labels, label_lengths)
    log_probability = log_probability.numpy()
    for row, frames in enumerate(lengths):
        found = labellings(logits[row, :frames])
        best = max(found, key=lambda labelling: found[labelling][0])
        assert rows[row] == best
        assert log_probability[row] == pytest.approx(found[best][0], abs=1e-5)


def test_beam_search_finds_a_better_labelling_than_the_best_path():
    """Example of Graves: two frames, p(blank) = 0.6 and p(1) = 0.4: p([1]) = 0.64, p([]) = 0.36."""
    logits = np.log([[[0.6, 0.4], [0.6, 0.4]]])
    labels, _, log_probability = in_graph.beam_search(logits, [2])
    assert labels.numpy().tolist() == [[1]]
    assert np.exp(log_probability[0]) == pytest.approx(0.64)
    labels, label_lengths, log_probability = in_graph.greedy_search(logits, [2])
    assert (labels.shape, label_lengths.numpy().tolist()) == ((1, 0), [0])
    assert np.exp(log_probability[0]) == pytest.approx(0.36)


def test_searches_ignore_padded_frames():
    logits = np.random.RandomState(5).standard_normal((2, 9, 6)).astype(np.float32)
    padded = np.concatenate([logits, np.full((2, 4, 6), 30.0, np.float32)], axis=1)
    for search in (in_graph.greedy_search, in_graph.beam_search):
        for answer, expected in zip(search(padded, [9, 6]), search(logits, [9, 6]), strict=True):
            np.testing.assert_array_equal(answer, expected)


@pytest.mark.parametrize("search", [in_graph.greedy_search, in_graph.beam_search])
def test_saved_model_with_any_batch_size_and_length(search, tmp_path):
    signature = [tf.TensorSpec([None, None, 5], tf.float32), tf.TensorSpec([None], tf.int32)]
    module = tf.Module()
    module.search = tf.function(search, input_signature=signature)
    tf.saved_model.save(module, tmp_path)
    loaded = tf.saved_model.load(tmp_path)
    for batch, time_steps in ((1, 4), (3, 11)):
        logits = np.random.RandomState(batch).standard_normal((batch, time_steps, 5))
        lengths = np.arange(time_steps, time_steps - batch, -1, dtype=np.int32)
        answers = loaded.search(tf.cast(logits, tf.float32), lengths)
        for answer, expected in zip(answers, search(logits, lengths), strict=True):
            np.testing.assert_array_equal(answer, expected)


def random_logits(seed: int) -> np.ndarray:
    generator = np.random.default_rng(seed)
    shape = (generator.integers(1, 40), generator.integers(2, 12))
    return generator.normal(0, generator.choice([0.5, 2, 5]), shape).astype(np.float32)


def test_greedy_search_equals_numpy():
    for seed in range(60):
        logits = random_logits(seed)
        labels, log_probability = greedy_search(logits)
        found, _, expected = in_graph.greedy_search(logits[None], [len(logits)])
        assert labels == found.numpy()[0].tolist()
        assert log_probability == pytest.approx(float(expected[0]), abs=1e-3)


def test_beam_search_nearly_equals_numpy():
    """Narrow beams sometimes differ, in the labelling or only in the log-probability.

    TensorFlow extends prefixes one by one, the most probable first, and drops a prefix that leaves the
    beam before it is extended.
    """
    same = close = 0
    for seed in range(60):
        logits, width = random_logits(seed), int(np.random.default_rng(seed).integers(2, 40))
        ((labels, log_probability),) = beam_search(logits, width)
        found, _, expected = in_graph.beam_search(logits[None], [len(logits)], width)
        found, expected = found.numpy()[0].tolist(), float(expected[0])
        # A search sums over some paths of a labelling, so it never exceeds the exact probability.
        assert expected <= log_likelihood(logits, found) + 1e-3
        assert log_probability <= log_likelihood(logits, labels) + 1e-3
        if labels == found:
            same += 1
            close += log_probability == pytest.approx(expected, abs=1e-3)
    assert same >= 57
    assert close >= 54
