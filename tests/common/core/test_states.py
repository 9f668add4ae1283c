"""Test initial, next and constant states."""

import numpy as np

from zoo.common.core.states import StateSpec, as_outputs, initial_states, next_states

SPECS = (
    StateSpec("h", (3,)),
    StateSpec("window", (2, 4), "int32", initial=-1),
    StateSpec("age", (), "float64", initial=0.5),
    StateSpec("features", (5, 2), constant=True),
)


def test_initial_states_have_any_rank_and_dtype():
    states = initial_states(SPECS, 2)
    assert {name: (state.shape, state.dtype) for name, state in states.items()} == {
        "h": ((2, 3), np.float32),
        "window": ((2, 2, 4), np.int32),
        "age": ((2,), np.float64),
        "features": ((2, 5, 2), np.float32),
    }
    assert not states["h"].any()
    assert (states["window"] == -1).all()
    assert (states["age"] == 0.5).all()


def test_next_states():
    outputs = {"logits": 0, "next_h": 1, "next_window": 2, "next_age": 3}
    assert next_states(SPECS, outputs) == {"h": 1, "window": 2, "age": 3}
    changing = {"h": 1, "window": 2, "age": 3}
    assert next_states(SPECS, as_outputs(changing)) == changing
