"""The baselines of labelled sounds."""

from pathlib import Path

import numpy as np
import pytest

import zoo
from zoo.speech.detection.baselines import COEFFICIENTS, SEGMENTS, of_waveforms, segment_statistics
from zoo.speech.features.frontend import LogMel

FSDD = Path(__file__).parents[2] / "data" / "fsdd"


def test_statistics_of_constant_bands():
    row = segment_statistics(np.full((9, 40), 2.0)).reshape(SEGMENTS, 2, COEFFICIENTS)
    np.testing.assert_allclose(row[:, 1], 0, atol=1e-12)
    np.testing.assert_allclose(row[:, 0, 0], 2 * np.sqrt(40))  # the orthonormal cosine transform
    np.testing.assert_allclose(row[:, 0, 1:], 0, atol=1e-12)


@pytest.mark.parametrize("frames", [1, 2, 3])
def test_short_sounds(frames):
    assert np.isfinite(segment_statistics(np.ones((frames, 40)))).all()


def test_padding_has_no_effect():
    features = LogMel(sample_rate=8000, mel_bins=40, high_hz=3800.0)
    waveform = np.random.default_rng(0).normal(size=(1, 4000)).astype(np.float32)
    padded = np.pad(waveform, ((0, 0), (0, 500)), constant_values=9)
    lengths = np.array([4000])
    np.testing.assert_array_equal(
        of_waveforms(features, {"waveform": waveform, "lengths": lengths}),
        of_waveforms(features, {"waveform": padded, "lengths": lengths}),
    )


def test_digits():
    result = zoo.baseline("speech/tdnn-fsdd", data=FSDD)
    assert result.examples == 6
    assert result.metrics["accuracy"] >= 0.5  # six recordings of three digits, in train with dev
    assert result.baseline.endswith("on MFCC statistics of 3 segments")
