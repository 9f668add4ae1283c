"""Test batches: calls of several threads run together, and the answers do not change."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from zoo.common.core.model import Graphs
from zoo.serving.batching import batched


class Sums:
    """A graph that returns the sum of each row within its length, and records the batches."""

    def __init__(self):
        self.gate, self.shapes, self.started = threading.Event(), [], threading.Event()

    def __call__(self, values, **others):
        self.shapes.append(values.shape)
        self.started.set()
        self.gate.wait(10)
        if "lengths" in others:
            values = values * (np.arange(values.shape[1]) < others["lengths"][:, None])
        return {"sum": values.sum(axis=1)}


def run_together(graph: Sums, calls: list[dict], size: int) -> list[float]:
    """Return the answers to calls that arrive while the first one runs."""
    function = batched(Graphs("x", {"model": graph}), size)["model"]
    with ThreadPoolExecutor(len(calls)) as pool:
        first = pool.submit(function, **calls[0])
        graph.started.wait(10)
        others = [pool.submit(function, **call) for call in calls[1:]]
        while len(function._waiting) < len(others):
            pass
        graph.gate.set()
        return [float(job.result()["sum"][0]) for job in [first, *others]]


def call(length: int, value: float) -> dict:
    return {"values": np.full((1, length), value), "lengths": np.array([length])}


def test_calls_of_similar_length_are_one_batch():
    graph = Sums()
    lengths = [50, 100, 110, 300, 120, 90]
    answers = run_together(graph, [call(length, 2.0) for length in lengths], 3)
    assert answers == [2.0 * length for length in lengths]
    assert graph.shapes[0] == (1, 50)
    sizes = sorted(shape[0] for shape in graph.shapes[1:])
    assert sizes == [1, 1, 3] or sizes == [1, 2, 2]
    assert (1, 300) in graph.shapes


def test_without_lengths_only_equal_shapes_are_one_batch():
    graph = Sums()
    calls = [{"values": np.ones((1, length))} for length in (1, 3, 4, 3)]
    assert run_together(graph, calls, 8) == [1, 3, 4, 3]
    assert sorted(graph.shapes[1:]) == [(1, 4), (2, 3)]


def test_an_error_reaches_every_call_of_its_batch_and_no_other():
    def graph(values):
        if (values < 0).any():
            raise ValueError("negative")
        return {"sum": values.sum(axis=1)}

    function = batched(Graphs("x", {"model": graph}), 2)["model"]
    with pytest.raises(ValueError, match="negative"):
        function(values=np.array([[-1.0]]))
    assert function(values=np.array([[2.0]]))["sum"] == [2.0]


def test_several_rows_are_not_combined():
    function = batched(Graphs("x", {"model": lambda values: {"sum": values.sum(axis=1)}}), 4)
    assert function["model"](values=np.ones((3, 2)))["sum"].tolist() == [2, 2, 2]


def test_a_server_with_batches_has_the_same_answers(serve, client, clips):
    address, content = "/v1/presets/speech/predict", Path(clips[0]).read_bytes()
    batching = serve(batch_size=4)
    alone = client.post(address, content=content).json()["predictions"][0]
    with ThreadPoolExecutor(8) as pool:
        jobs = [pool.submit(batching.post, address, content=content) for _ in range(8)]
    for job in jobs:
        (answer,) = job.result().json()["predictions"]
        assert answer["output"] == alone["output"]
        assert answer["log_probability"] == pytest.approx(alone["log_probability"], abs=1e-3)
