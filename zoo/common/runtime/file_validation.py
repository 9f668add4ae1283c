"""What a file of Keras says it holds, checked against what is expected before memory is given for it.

A damaged or hostile file is small and says that it is large: gigabytes of zeros that a zip holds in a
few bytes, a layer of a billion units, a dataset of HDF5 that was never written.
"""

from __future__ import annotations

import io
import math
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.utils.private import weight_shapes

CONFIG_MEMBER, WEIGHTS_MEMBER = "config.json", "model.weights.h5"
# More than any model's of a thousand layers.
MAX_CONFIG_BYTES = 2**22
# Of a member of the archive to what it takes there. Trained weights hardly get smaller.
_MAX_RATIO = 20
# Of a dataset, beside its numbers.
_HEADER_BYTES = 2**14
# HDF5 stands in place of at most these numbers for what is no weight, such as the state of dropout.
_SEED_SIZE = 8


def check_declared(path: Path, shapes: Sequence[tuple[int, ...]]) -> None:
    """Check that a model.keras holds a model with weights of those shapes, before it is opened.

    Raises:
        ZooError: it says that it is larger, or its layers are others.
        Exception: whatever a damaged archive makes zipfile, h5py or Keras raise.
    """
    import h5py
    import keras

    weights = sum(math.prod(shape) for shape in shapes)
    most = {
        CONFIG_MEMBER: MAX_CONFIG_BYTES,
        "metadata.json": MAX_CONFIG_BYTES,
        WEIGHTS_MEMBER: 8 * weights + _HEADER_BYTES * (2 * len(shapes) + 64),
    }
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            if member.file_size > most.get(member.filename, 0):
                raise _other(path)
            if member.file_size > _MAX_RATIO * member.compress_size + MAX_CONFIG_BYTES:
                raise ZooError(f"{path} is corrupt: trained weights are not all alike.")
        config = archive.read(CONFIG_MEMBER).decode()
        with h5py.File(io.BytesIO(archive.read(WEIGHTS_MEMBER))) as file:
            sizes = [_size(path, dataset) for dataset in _datasets(path, file)]
    if sum(sizes) > weights + _SEED_SIZE * len(sizes):
        raise _other(path)
    if weight_shapes(lambda: keras.models.model_from_json(config)) != list(shapes):
        raise _other(path)


def _datasets(path: Path, group: Any, depth: int = 0) -> Iterator[Any]:
    """The datasets of a file. A link that leads out of it, or in a circle, is no part of a model."""
    import h5py

    if depth > 16:
        raise _other(path)
    for name in group:
        if not isinstance(group.get(name, getlink=True), h5py.HardLink):
            raise ZooError(f"{path} is corrupt: {name!r} of its weights is a link.")
        item = group[name]
        if isinstance(item, h5py.Group):
            yield from _datasets(path, item, depth + 1)
        else:
            yield item


def _size(path: Path, dataset: Any) -> int:
    """How many numbers it holds, in the file itself."""
    if dataset.external or dataset.is_virtual or dataset.dtype.kind not in "fiub":
        raise ZooError(f"{path} is corrupt: {dataset.name!r} of its weights holds no numbers.")
    return dataset.size


def _other(path: Path) -> ZooError:
    return ZooError(
        f"{path} does not fit the recipe and its assets: it holds another shape of model."
    )
