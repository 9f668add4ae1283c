"""The answer to a recording hardly depends on a constant offset (DC)."""

from hypothesis import given
from hypothesis import strategies as st

from tests.invariance.recordings import STREAMING, clips, difference, few


@few
@given(st.integers(0, 3), st.floats(-0.1, 0.1))
def test_offset_of_a_stream(number, offset):
    """The zeros before the first frame have no offset: some symbols may change."""
    clip = clips()[number]
    assert difference(STREAMING, clip + offset, clip) < 0.25
