"""The answer to a recording does not depend on digital silence around it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.invariance.recordings import RATE, RECOGNIZER, STREAMING, clips, difference, few, text

seconds = st.floats(0, 5)


def padded(clip, before, after):
    return np.pad(clip, (int(before * RATE), int(after * RATE)))


@few
@given(st.integers(0, 3), seconds, seconds)
def test_silence(number, before, after):
    clip = clips()[number]
    assert text(RECOGNIZER, padded(clip, before, after)) == text(RECOGNIZER, clip)


@few
@given(st.integers(0, 3), seconds, seconds)
def test_silence_around_a_stream(number, before, after):
    """A streaming model has seen the silence before the sound: some symbols may change."""
    clip = clips()[number]
    assert difference(STREAMING, padded(clip, before, after), clip) < 0.25
