"""How an exported file is compared with the Keras model."""

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.export import parity

SAMPLES = {"model": [{"x": [1.0]}, {"x": [2.0]}]}


def compared(right: dict, answer: dict) -> tuple[float, str]:
    def function(outputs):
        return {"model": lambda x: {name: np.array(value) for name, value in outputs.items()}}

    return parity.compare(function(right), function(answer), SAMPLES)


def test_the_largest_difference_and_where():
    right = {"a": [1.0, 2.0], "b": [[0, 5]]}
    assert compared(right, right)[0] == 0
    assert compared(right, {"a": [1.5, 2.0], "b": [[0, 5]]}) == (0.5, "a")
    assert compared(right, {"a": [1.5, 2.0], "b": [[3, 5]]}) == (3, "b")


def test_frames_beyond_a_row_s_length_do_not_count():
    right = {"frames": [[[1.0], [2.0]], [[3.0], [0.0]]], "frame_lengths": [2, 1]}
    padded = right | {"frames": [[[1.0], [2.0]], [[3.0], [9.0]]]}
    assert compared(right, padded)[0] == 0
    inside = right | {"frames": [[[1.0], [2.25]], [[3.0], [9.0]]]}
    assert compared(right, inside) == (0.25, "frames")


@pytest.mark.parametrize(
    ("right", "answer"),
    [([1.0], [np.nan]), ([1.0], [[1.0]]), ([b"as said"], [b"as heard"]), ([True], [])],
)
def test_what_no_tolerance_covers(right, answer):
    assert compared({"a": right}, {"a": answer}) == (np.inf, "a")
    with pytest.raises(ZooError, match="The file differs from the Keras model by inf in a, more"):
        parity.check(*compared({"a": right}, {"a": answer}), 1e9, "file")


def test_text_is_compared_to_the_letter():
    assert compared({"a": [b"same"]}, {"a": [b"same"]})[0] == 0


def test_outputs_that_are_missing():
    with pytest.raises(ZooError, match=r"model gives a, b. Received: a."):
        compared({"a": [1], "b": [1]}, {"a": [1]})
