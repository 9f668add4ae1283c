"""Test the names of free axes."""

from types import SimpleNamespace

from zoo.common.core.axes import known_axes, name_axes
from zoo.common.core.states import StateSpec


def test_free_axes_have_names():
    assert name_axes("x", (None, None, 4)) == ["batch", "time", 4]
    assert name_axes("x", (3, 5)) == [3, 5]
    assert name_axes("x", ()) == []
    assert name_axes("x", (None, None, None)) == ["batch", "time", "source_time"]
    assert name_axes("x", (None, None, None), {"x": ("points",)}) == ["batch", "points", "time"]
    assert name_axes("x", (None, 7, None), {"x": ("points", "width")}) == ["batch", 7, "width"]
    assert name_axes("y", (None, None), {"x": ("points",)}) == ["batch", "time"]


def test_axes_of_data_and_of_states():
    data = SimpleNamespace(free_axes={"strokes": ("points",)})
    states = (StateSpec("h", (8,)), StateSpec("keys", (None, 8)))
    assert known_axes(data, SimpleNamespace(states=states)) == {
        "strokes": ("points",),
        "h": (8,),
        "next_h": (8,),
        "keys": ("source_time", 8),
        "next_keys": ("source_time", 8),
    }
