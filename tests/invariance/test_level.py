"""The answer to a recording hardly depends on its level."""

from hypothesis import given
from hypothesis import strategies as st

from tests.invariance.recordings import STREAMING, clips, difference, few


@few
@given(st.integers(0, 3), st.floats(-20, 0))
def test_level_of_a_stream(number, decibels):
    """A streaming model does not know the level before the sound: some symbols may change."""
    clip = clips()[number]
    assert difference(STREAMING, clip * 10 ** (decibels / 20), clip) < 0.25
