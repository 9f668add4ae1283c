"""Batches of requests of similar length, made while the model is busy."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from typing import Any

import numpy as np

from zoo.common.core.model import Function, Graphs

# Maximum quotient of two lengths in a batch: padding costs as much as the samples that it replaces.
SIMILAR = 1.25
# The input with the number of valid steps of each row of the others.
LENGTHS = "lengths"

Arrays = dict[str, np.ndarray]


def batched(graphs: Graphs, size: int) -> Graphs:
    """Return graphs that run the calls of several threads as one batch.

    Args:
        graphs: graphs of a version.
        size: maximum number of calls in a batch; 1 returns the graphs themselves.
    """
    if size == 1:
        return graphs
    return Graphs(graphs.backend, {name: Batcher(graph, size) for name, graph in graphs.items()})


class Batcher:
    """A graph whose calls, each with one row, wait for the batch before and then run together.

    A call never waits for others to arrive, so a single client has the time of a single call. Inputs of
    different length are padded with zeros if the graph has the input `lengths`.

    Args:
        graph: the graph.
        size: maximum number of rows.
    """

    def __init__(self, graph: Function, size: int):
        self._graph, self._size = graph, size
        self._waiting: list[tuple[Arrays, Future[Arrays]]] = []
        self._lock, self._turn = threading.Lock(), threading.Lock()

    def __call__(self, **inputs: Any) -> Arrays:
        arrays = {name: np.asarray(value) for name, value in inputs.items()}
        if any(array.ndim == 0 or len(array) != 1 for array in arrays.values()):
            return self._graph(**inputs)
        call = (arrays, Future[Arrays]())
        with self._lock:
            self._waiting.append(call)
        with self._turn:
            if not call[1].done():  # the batch before did not include it
                self._run(self._take(call))
        return call[1].result()

    def _take(self, call: tuple[Arrays, Future[Arrays]]) -> list[tuple[Arrays, Future[Arrays]]]:
        """Remove a call and the calls most similar to it from those that wait."""
        with self._lock:
            length = _length(call[0])
            fitting = [each for each in self._waiting if each is call or _fits(each[0], call[0])]
            fitting.sort(key=lambda each: (each is not call, abs(_length(each[0]) - length)))
            taken = fitting[: self._size]
            self._waiting = [
                each for each in self._waiting if all(each is not other for other in taken)
            ]
        return taken

    def _run(self, calls: Sequence[tuple[Arrays, Future[Arrays]]]) -> None:
        try:
            outputs = self._graph(**_joined([arrays for arrays, _ in calls]))
        except BaseException as error:
            for _, future in calls:
                future.set_exception(error)
            return
        for row, (_, future) in enumerate(calls):
            future.set_result({name: value[row : row + 1] for name, value in outputs.items()})


def _length(arrays: Arrays) -> int:
    return max((array.shape[1] for array in arrays.values() if array.ndim > 1), default=1)


def _fits(one: Arrays, other: Arrays) -> bool:
    """Return whether two calls can be in one batch."""
    if one.keys() != other.keys():
        return False
    if LENGTHS not in one:
        return all(one[name].shape == other[name].shape for name in one)
    lengths = sorted((_length(one), _length(other)))
    return lengths[1] <= SIMILAR * lengths[0] and all(
        one[name].shape[2:] == other[name].shape[2:] for name in one
    )


def _joined(calls: Sequence[Arrays]) -> Arrays:
    """Return calls as one batch, padded with zeros along the axis after the batch."""
    found = {}
    for name, first in calls[0].items():
        rows = [arrays[name] for arrays in calls]
        if first.ndim > 1:
            longest = max(row.shape[1] for row in rows)
            rows = [
                np.pad(row, [(0, 0), (0, longest - row.shape[1])] + [(0, 0)] * (row.ndim - 2))
                for row in rows
            ]
        found[name] = np.concatenate(rows)
    return found
