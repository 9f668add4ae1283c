"""SpecAugment: the masks, also against tensorflow-io."""

import importlib
import warnings
from collections import Counter

import numpy as np
import pytest
import tensorflow as tf

from zoo.common.core.errors import ZooError
from zoo.speech.features.spec_augment import NO_MASKS, SpecAugment, apply_masks

BINS = 8


def masked(config, rows, frames, seed=0):
    """Return ones [rows, frames, BINS] with masks."""
    draws = np.random.default_rng(seed).random((rows, config.num_masks, 2), np.float32)
    features = np.ones((rows, frames, BINS), np.float32)
    return np.asarray(apply_masks(features, np.full(rows, frames, np.int32), draws, config))


@pytest.fixture(scope="module")
def tensorflow_io():
    """Return the audio operations of tensorflow-io, which do not need its native libraries."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return importlib.import_module("tensorflow_io.python.ops.audio_ops")
        except ImportError:
            pytest.skip("tensorflow-io is not installed")


def spans(rows):
    """Return how often each (begin, width) of zeros occurs in rows of features, over bins or frames."""
    found = Counter()
    for row in np.asarray(rows):
        zeros = np.flatnonzero(~row.any(axis=0) if row.any(axis=1).all() else ~row.any(axis=1))
        assert len(zeros) == 0 or zeros[-1] - zeros[0] + 1 == len(zeros)
        found[(int(zeros[0]), len(zeros)) if len(zeros) else (0, 0)] += 1
    return found


@pytest.mark.parametrize("axis", ["freq", "time"])
def test_masks_have_the_distribution_of_tensorflow_io(tensorflow_io, axis):
    """Widths are uniform in [0, maximum], and begins are uniform, for both."""
    count, frames, width = 3000, 6, 3
    if axis == "freq":
        config = SpecAugment(freq_masks=1, freq_width=width, time_masks=0)
        reference, size = tensorflow_io.freq_mask, BINS
    else:
        config = SpecAugment(freq_masks=0, time_masks=1, time_width=width, time_share=0.9)
        reference, size = tensorflow_io.time_mask, frames
    tf.random.set_seed(0)
    draw = tf.function(lambda: reference(tf.ones([frames, BINS]), width + 1))
    expected = spans([draw() for _ in range(count)])
    found = spans(masked(config, count, frames))
    possible = {(begin, w) for w in range(1, width + 1) for begin in range(size - w)} | {(0, 0)}
    assert set(found) == set(expected) == possible
    for begin, w in possible:
        share = 1 / (width + 1) / (size - w if w else 1)
        deviation = np.sqrt(share * (1 - share) / count)
        for counts in (found, expected):
            assert abs(counts[begin, w] / count - share) < 5 * deviation


def test_values_outside_masks_do_not_change():
    config = SpecAugment(freq_masks=2, freq_width=3, time_masks=2, time_width=5)
    features = np.random.default_rng(1).normal(5, 1, (20, 40, BINS)).astype(np.float32)
    draws = np.random.default_rng(0).random((20, config.num_masks, 2), np.float32)
    lengths = np.full(20, 40, np.int32)
    result = np.asarray(apply_masks(features, lengths, draws, config))
    assert set(np.unique(result == features)) == {False, True}
    np.testing.assert_array_equal(result[result != 0], features[result != 0])


def test_masks_over_frames_end_before_the_padding():
    config = SpecAugment(freq_masks=0, time_masks=1, time_width=50, time_share=0.9)
    draws = np.full((2, 1, 2), 0.999, np.float32)
    result = np.asarray(apply_masks(np.ones((2, 10, BINS)), np.array([10, 4]), draws, config))
    masked_frames = (result == 0).all(axis=2).sum(axis=1)
    assert masked_frames.tolist() == [9, 3]
    assert (result[0, 9] == 1).all()
    assert (result[1, 3:] == 1).all()


def test_masks_inside_tf_data():
    config = SpecAugment(freq_width=3, time_width=5)
    draws = np.random.default_rng(0).random((6, config.num_masks, 2), np.float32)
    features, frames = np.ones((6, 30, BINS), np.float32), np.array([30, 20, 30, 9, 30, 1])
    rows = tf.data.Dataset.from_tensor_slices((features, frames, draws)).batch(2)
    batches = rows.map(lambda x, n, d: apply_masks(x, n, d, config))
    together = np.concatenate(list(batches.as_numpy_iterator()))
    np.testing.assert_array_equal(together, apply_masks(features, frames, draws, config))


@pytest.mark.parametrize(
    "config",
    [
        SpecAugment(freq_width=500, time_width=500, time_share=0.99),
        SpecAugment(freq_width=0, time_width=0),
        SpecAugment(time_share=0),
        NO_MASKS,
    ],
)
@pytest.mark.parametrize("frames", [1, 2, 50])
def test_masks_of_any_width(config, frames):
    assert set(np.unique(masked(config, 20, frames))) <= {0.0, 1.0}


def test_invalid_settings():
    with pytest.raises(ZooError, match="time_share must be at least 0 and below 1"):
        SpecAugment(time_share=1)
    with pytest.raises(ZooError, match="freq_masks must be at least 0"):
        SpecAugment(freq_masks=-1)
