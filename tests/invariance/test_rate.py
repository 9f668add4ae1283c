"""The answer to a recording hardly depends on its sample rate, from the rate of the model upwards."""

import numpy as np
import soxr
from hypothesis import given
from hypothesis import strategies as st

from tests.invariance.recordings import RATE, RECOGNIZER, clips, few, text


@few
@given(st.integers(0, 3), st.sampled_from([22_050, 32_000, 44_100, 48_000, 96_000]))
def test_rate(number, rate):
    """Resampling changes the samples a little: at most one letter changes."""
    clip, preset = clips()[number], RECOGNIZER
    other = text(preset, soxr.resample(clip, RATE, rate), rate)
    expected = text(preset, clip)
    assert abs(len(other) - len(expected)) <= 1
    assert np.sum([a != b for a, b in zip(other, expected, strict=False)]) <= 1
