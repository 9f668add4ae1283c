"""The answer to a recording does not depend on the number, the order and the polarity of channels."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from tests.invariance.recordings import RECOGNIZER, clips, few, text


@few
@given(st.integers(0, 3), st.integers(1, 4))
def test_equal_channels(number, channels):
    clip = clips()[number]
    assert text(RECOGNIZER, np.stack([clip] * channels, axis=1)) == text(RECOGNIZER, clip)


@few
@given(st.integers(0, 3), st.floats(0.9, 1.1), st.booleans())
def test_channels_that_cancel_each_other(number, gain, is_first):
    clip = clips()[number]
    pair = np.stack([clip, -gain * clip][:: 1 if is_first else -1], axis=1)
    assert text(RECOGNIZER, pair) == text(RECOGNIZER, clip)
