"""Batch: the outputs of a row do not depend on the other rows of its batch."""

import functools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.invariance.presets import EXAMPLES, graph_inputs, load, names


@functools.cache
def whole(name: str, graph: str) -> dict[str, np.ndarray]:
    outputs = load(name).graphs[graph](**graph_inputs(name, graph))
    return {key: np.asarray(value) for key, value in outputs.items()}


@pytest.mark.parametrize("name", names())
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(draws=st.lists(st.integers(0, 11), min_size=2, max_size=2))  # one size, one compilation
def test_rows_do_not_depend_on_the_batch(name, draws):
    for graph, function in load(name).graphs.items():
        inputs = graph_inputs(name, graph)
        rows = [draw % len(next(iter(inputs.values()))) for draw in draws]
        found = function(**{key: value[rows] for key, value in inputs.items()})
        for key, expected in whole(name, graph).items():
            np.testing.assert_allclose(
                found[key], expected[rows], rtol=1e-3, atol=1e-4, err_msg=key
            )
