"""Test the comparison of an exported file with the Keras model."""

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.export import parity

SAMPLES = {"model": [{"x": [1.0]}, {"x": [2.0]}]}


def compared(right: dict, answer: dict) -> tuple[float, str]:
    def function(outputs):
        return {"model": lambda x: {name: np.array(value) for name, value in outputs.items()}}

    return parity.compare(function(right), function(answer), SAMPLES)


def test_the_largest_difference_and_its_output():
    right = {"a": [1.0, 2.0], "b": [[0, 5]]}
    assert compared(right, right)[0] == 0
    assert compared(right, {"a": [1.5, 2.0], "b": [[0, 5]]}) == (0.5, "a")
    assert compared(right, {"a": [1.5, 2.0], "b": [[3, 5]]}) == (3, "b")


def test_frames_after_the_length_are_not_compared():
    right = {"frames": [[[1.0], [2.0]], [[3.0], [0.0]]], "frame_lengths": [2, 1]}
    padded = right | {"frames": [[[1.0], [2.0]], [[3.0], [9.0]]]}
    assert compared(right, padded)[0] == 0
    inside = right | {"frames": [[[1.0], [2.25]], [[3.0], [9.0]]]}
    assert compared(right, inside) == (0.25, "frames")


@pytest.mark.parametrize(
    ("right", "answer"),
    [([1.0], [np.nan]), ([1.0], [[1.0]]), ([b"same"], [b"other"]), ([True], [])],
)
def test_infinite_differences(right, answer):
    assert compared({"a": right}, {"a": answer}) == (np.inf, "a")
    with pytest.raises(ZooError, match="The file differs from the Keras model by inf in a, above"):
        parity.check(*compared({"a": right}, {"a": answer}), 1e9, "file")


def test_texts_are_compared_exactly():
    assert compared({"a": [b"same"]}, {"a": [b"same"]})[0] == 0


def test_missing_outputs():
    with pytest.raises(ZooError, match=r"model gives a, b. Received: a."):
        compared({"a": [1], "b": [1]}, {"a": [1]})
