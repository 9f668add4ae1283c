"""Validation of Keras files before they are loaded.

A small damaged or hostile file may declare large contents: gigabytes of zeros in a compressed member, a
layer of a billion units, or an HDF5 dataset that was never written. The declared sizes are compared with
the expected ones before memory is allocated.
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
# Above the size of any config with a thousand layers.
MAX_CONFIG_BYTES = 2**22
# Largest compression ratio of a member. Trained weights are hardly compressible.
_MAX_RATIO = 20
# Size of a dataset besides its numbers.
_HEADER_BYTES = 2**14
# Largest size of a dataset that is not a weight, such as the random state of dropout.
_SEED_SIZE = 8


def check_declared(path: Path, shapes: Sequence[tuple[int, ...]]) -> None:
    """Check that a model.keras declares weights of the given shapes, before it is loaded.

    Args:
        path: path of the file.
        shapes: expected shapes of the weights.

    Raises:
        ZooError: the file declares a larger model or other layers.
        Exception: any exception of zipfile, h5py or Keras for a damaged archive.
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
                raise ZooError(f"{path} is corrupt: its compression ratio is too high.")
        config = archive.read(CONFIG_MEMBER).decode()
        with h5py.File(io.BytesIO(archive.read(WEIGHTS_MEMBER))) as file:
            sizes = [_size(path, dataset) for dataset in _datasets(path, file)]
    if sum(sizes) > weights + _SEED_SIZE * len(sizes):
        raise _other(path)
    if weight_shapes(lambda: keras.models.model_from_json(config)) != list(shapes):
        raise _other(path)


def _datasets(path: Path, group: Any, depth: int = 0) -> Iterator[Any]:
    """Yield the datasets of a file. Links, which may be external or circular, are not valid."""
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
    """Return the number of elements of a dataset that is stored in the file itself."""
    if dataset.external or dataset.is_virtual or dataset.dtype.kind not in "fiub":
        raise ZooError(f"{path} is corrupt: {dataset.name!r} of its weights is not numeric.")
    return dataset.size


def _other(path: Path) -> ZooError:
    return ZooError(
        f"{path} does not fit the recipe and its assets: the shapes of its weights differ."
    )
