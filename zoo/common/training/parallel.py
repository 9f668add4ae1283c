"""The division of the batches and decisions of a training among devices and processes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from zoo.common.core.data import Batch, Batches
from zoo.common.core.errors import ZooError

if TYPE_CHECKING:
    import keras

Value = TypeVar("Value")

# Array of y with the weight of each row: 1, or 0 for a row that only completes a batch.
ROW_WEIGHT = "row_weight"


class Parallel:
    """A training in one process, on one device or with the replicas of TensorFlow.

    Other classes divide the rows of each batch. All processes make the same batches, and each one feeds
    its own rows, so that batch size, seed and schedule do not depend on the number of processes.
    """

    # Whether this process evaluates, decides and writes.
    writes = True
    # Whether the y of a batch has `ROW_WEIGHT`.
    weighs_rows = False

    def check(self, batch_size: int, carries_states: bool, **values: Any) -> None:
        """Check that all processes have equal values, and that the devices can share a batch.

        Raises:
            ZooError: they do not.
        """

    def scope(self) -> AbstractContextManager[Any]:
        """Return the context in which the trained model, its optimizer and its steps are made."""
        return nullcontext()

    def local_model(self, model: keras.Model, build: Callable[[], keras.Model]) -> keras.Model:
        """Return a model of this process alone, for features, evaluation and files.

        Args:
            model: the trained model.
            build: builds another one.
        """
        return model

    def update(self, local: keras.Model, model: keras.Model) -> None:
        """Copy the weights of the trained model to the model of this process."""

    def batches(self, batches: Batches) -> Batches:
        """Return what this process feeds of each batch."""
        return batches

    def share(self, make: Callable[[], Value]) -> Value:
        """Return the value that the writing process makes, in all processes."""
        return make()


def rows_of(batches: Batches, shard: int, shards: int, devices: int) -> Batches:
    """Return a part of the rows of each batch.

    Batches are completed to a multiple of `devices` rows with copies of the last row, whose weight is 0.

    Args:
        batches: the whole batches.
        shard: number of the part, from 0.
        shards: number of parts, a divisor of `devices`.
        devices: number of devices of all parts.

    Raises:
        ZooError: an array has no row per example. Iteration raises it.
    """

    def part(arrays: Mapping[str, Any], rows: np.ndarray, count: int) -> dict[str, Any]:
        for name, array in arrays.items():
            if len(array) != count:
                raise ZooError(f"{name!r} cannot be divided: it must have {count} rows.")
        return {name: np.asarray(array)[rows] for name, array in arrays.items()}

    def generate() -> Iterator[Batch]:
        for x, y, ids in batches:
            count = len(ids)
            whole = -(-count // devices) * devices
            rows = np.split(np.minimum(np.arange(whole), count - 1), shards)[shard]
            own = part(y, rows, count)
            first = shard * (whole // shards)
            own[ROW_WEIGHT] = (np.arange(first, first + len(rows)) < count).astype(np.float32)
            yield part(x, rows, count), own, np.asarray(ids)[rows]

    return Batches(generate, batches.spec, batches.steps)
