"""Order: an answer does not depend on the other inputs, nor a metric on the order of the examples."""

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.conftest import AN4
from tests.invariance.presets import EXAMPLES, load, names, sources
from zoo.common.core.registry import entry


@functools.cache
def answers(name: str) -> list[dict]:
    return list(load(name).predict(list(sources(name))))


@pytest.mark.parametrize("name", names())
@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(order=st.lists(st.integers(0, 3), min_size=1, max_size=5))
def test_answers_do_not_depend_on_other_inputs(name, order):
    expected = answers(name)
    assert not any("error" in answer for answer in expected)
    inputs = [sources(name)[i] for i in order]
    assert list(load(name).predict(inputs)) == [expected[i] for i in order]


@functools.cache
def digits() -> list:
    return entry("speech/tdnn-fsdd").corpus.read(AN4.parent / "fsdd", "all")


@functools.cache
def evaluate(order: tuple[int, ...]) -> dict[str, float]:
    preset = load("speech/tdnn-fsdd")
    result = preset.recipe.task.evaluate(preset.predictor, [digits()[i] for i in order])
    return result.metrics | {row["id"]: row["output"] for row in result.rows}


@settings(max_examples=EXAMPLES, deadline=None, derandomize=True)
@given(order=st.permutations(range(12)))
def test_metrics_do_not_depend_on_the_order_of_the_examples(order):
    assert evaluate(tuple(order)) == pytest.approx(evaluate(tuple(range(12))))
