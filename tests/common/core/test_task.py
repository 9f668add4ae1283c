"""Test the answers of tasks: names of inputs, segments of long inputs, errors, checks of requests."""

from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from zoo.common.core.capabilities import Segment, SegmentAnswers, SegmentedInputs, Segments
from zoo.common.core.data import Data
from zoo.common.core.errors import ExportError, ZooError
from zoo.common.core.task import Task, checked_batch, input_name


class Numbers(Data, SegmentedInputs):
    """Inputs are numbers. One above 10 is long, and has a segment for each unit."""

    def read_input(self, source, model):
        if source < 0:
            raise ExportError("no graph") if source == -2 else ZooError("negative")
        return {"x": source}

    def input_metadata(self, item):
        return {"seconds": item["x"]}

    def segments(self, source, model):
        if source <= 10:
            return None
        parts = (Segment(i, i + 1, {}) for i in range(source))
        return Segments(parts, lambda: {"seconds": float(source)})


Numbers.__abstractmethods__ = frozenset()


@dataclass(frozen=True)
class Doubling(Task):
    monitors = ("wer",)
    monitor: str = "wer"

    def answer(self, predictor, item):
        return {"output": 2 * item["x"]}


class DoublingSegments(Doubling, SegmentAnswers):
    def answer_segments(self, predictor, segments):
        return {"output": [segment.begin for segment in segments]}


Doubling.__abstractmethods__ = DoublingSegments.__abstractmethods__ = frozenset()
PREDICTOR = SimpleNamespace(data=Numbers(), model=None)


def test_answers_have_the_input_and_its_metadata():
    assert list(Doubling().predict(PREDICTOR, [3, -1, 12])) == [
        {"input": "<int>", "output": 6, "seconds": 3},
        {"input": "<int>", "error": "negative"},
        {"input": "<int>", "output": 24, "seconds": 12},
    ]


def test_long_inputs_are_answered_by_segments():
    short, long = DoublingSegments().predict(PREDICTOR, [3, 12])
    assert short == {"input": "<int>", "output": 6, "seconds": 3}
    assert long == {"input": "<int>", "output": list(range(12)), "seconds": 12.0}


def test_an_error_of_the_graphs_ends_the_answers():
    with pytest.raises(ExportError, match="no graph"):
        list(Doubling().predict(PREDICTOR, [-2, 3]))


def test_names_of_inputs():
    assert input_name("a.wav") == "a.wav"
    assert input_name(Path("b/c.wav")) == "b/c.wav"
    assert input_name(np.zeros(3)) == "<ndarray>"


def test_unknown_monitors():
    with pytest.raises(ZooError, match=r"task.monitor must be one of 'wer'. Received: 'cer'"):
        Doubling(monitor="cer")


def test_requests_are_checked_in_the_graph():
    rows = [tf.constant([[1.0], [2.0]]), tf.constant([3, 4])]
    found = checked_batch(rows)
    assert [tensor.numpy().tolist() for tensor in found] == [[[1.0], [2.0]], [3, 4]]
    for bad, message in (
        ([tf.zeros((0, 2))], "at least one row"),
        ([tf.zeros((2, 2)), tf.zeros((3,))], "the same number of rows"),
        ([tf.constant([1.0, float("nan")])], "finite numbers"),
        ([tf.constant([1, 2]), tf.constant([float("inf"), 0.0])], "finite numbers"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=message):
            checked_batch(bad)
