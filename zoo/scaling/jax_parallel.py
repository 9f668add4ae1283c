"""Data-parallel training on JAX: the devices of one process, or of several processes."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import keras
import numpy as np

from zoo.common.core.data import Batches
from zoo.common.core.errors import ZooError
from zoo.common.training.parallel import Parallel, rows_of
from zoo.scaling.digests import code_digest

Value = TypeVar("Value")


class JaxParallel(Parallel):
    """Divide the rows of each batch over all devices of all processes.

    `jax.distributed` must be initialized before, if there are several processes.
    """

    weighs_rows = True

    def __init__(self) -> None:
        import jax

        self._process, self._processes = jax.process_index(), jax.process_count()
        self._devices = jax.device_count()
        self._distribution = keras.distribution.DataParallel(auto_shard_dataset=False)
        self.writes = self._process == 0

    def check(self, batch_size: int, carries_states: bool, **values: Any) -> None:
        if carries_states and batch_size % self._devices:
            raise ZooError(
                f"training.batch_size must be a multiple of {self._devices}, the number of devices, "
                f"for a model whose states are carried. Received: {batch_size}."
            )
        if self._processes == 1:
            return
        import jax
        from jax.experimental import multihost_utils

        versions = [keras.__version__, jax.__version__]
        values |= {"code": code_digest(), "versions of Keras and JAX": versions}
        digests = [
            np.frombuffer(hashlib.sha256(json.dumps(value, sort_keys=True).encode()).digest(), "u1")
            for value in values.values()
        ]
        gathered = np.asarray(multihost_utils.process_allgather(np.stack(digests)))
        differs = (gathered != gathered[0]).any(axis=2)
        if differs.any():
            names = [name for name, column in zip(values, differs.T, strict=True) if column.any()]
            ranks = ", ".join(map(str, np.flatnonzero(differs.any(axis=1))))
            raise ZooError(f"All hosts must have equal {', '.join(names)}. Rank {ranks} differs.")

    @contextlib.contextmanager
    def scope(self) -> Iterator[None]:
        with self._distribution.scope():
            yield

    def local_model(self, model: keras.Model, build: Callable[[], keras.Model]) -> keras.Model:
        return build()

    def update(self, local: keras.Model, model: keras.Model) -> None:
        if self.writes:
            local.set_weights([np.asarray(weight) for weight in model.weights])

    def batches(self, batches: Batches) -> Batches:
        return rows_of(batches, self._process, self._processes, self._devices)

    def share(self, make: Callable[[], Value]) -> Value:
        """Return the value of the writing process: JSON types and NumPy arrays in lists and dicts."""
        if self._processes == 1:
            return make()
        from jax.experimental import multihost_utils

        content = _packed(make()) if self.writes else b""
        size = int(multihost_utils.broadcast_one_to_all(np.uint32(len(content))))
        block = np.frombuffer(content.ljust(size, b"\0"), np.uint8)
        return _unpacked(np.asarray(multihost_utils.broadcast_one_to_all(block)).tobytes())


def _packed(value: Any) -> bytes:
    """Return JSON types and arrays as bytes."""
    arrays: list[np.ndarray] = []

    def keep(array: Any) -> dict[str, int]:
        arrays.append(np.asarray(array))
        return {"array": len(arrays) - 1}

    text = json.dumps(value, default=keep)
    stream = io.BytesIO()
    np.savez(stream, *arrays, text=np.frombuffer(text.encode(), np.uint8))
    return stream.getvalue()


def _unpacked(content: bytes) -> Any:
    """Return the value of `_packed`."""
    with np.load(io.BytesIO(content), allow_pickle=False) as file:
        text = file["text"].tobytes().decode()
        arrays = [file[f"arr_{number}"] for number in range(len(file.files) - 1)]

    def restore(found: dict[str, Any]) -> Any:
        return arrays[found["array"]] if set(found) == {"array"} else found

    return json.loads(text, object_hook=restore)
