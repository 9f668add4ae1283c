"""Features of images, computed once by VGG16 and cached on disk.

The key of an image is the SHA-256 of its file. The cache has one folder per encoder, number of blocks
and image size. It consists of shards, each written atomically, so that an interruption loses at most one
shard. A shard is a zip archive with a CRC-32 of each member, so a damaged shard is detected when it is
read; it is removed, and its features are computed again.
"""

from __future__ import annotations

import functools
import hashlib
import itertools
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.presets import store
from zoo.common.utils.files import PART, atomic_file
from zoo.common.utils.files import digest as file_digest
from zoo.common.utils.progress import progress, say
from zoo.vision_language.captioning import vgg16
from zoo.vision_language.captioning.captions import CaptionedImage
from zoo.vision_language.captioning.images import SIZE, read_image
from zoo.vision_language.captioning.vgg16 import BLOCKS, shape_after

BATCH = 16
SHARD = 256
# Part of the cache key. It must be increased when the pixels of `read_image` change.
PIXELS_VERSION = 1


def cache_folder(blocks: int = len(BLOCKS)) -> Path:
    """Return the folder of cached features, in `zoo.common.presets.store.cache`.

    Args:
        blocks: number of VGG16's blocks.
    """
    key = hashlib.sha256(f"{vgg16.checksum()} {SIZE} {PIXELS_VERSION}".encode()).hexdigest()
    return store.cache() / (
        f"vgg16-{key[:16]}" + ("" if blocks == len(BLOCKS) else f"-block{blocks}")
    )


def extract_features(
    paths: Sequence[Path], blocks: int = len(BLOCKS)
) -> tuple[np.ndarray, np.ndarray, dict[Path, str]]:
    """Return the features of image files. Features that are not in the cache are computed.

    Args:
        paths: image files.
        blocks: number of VGG16's blocks, from the first, whose output is returned.

    Returns:
        A table float16 [images, *vgg16.shape_after(blocks)], with one row for identical files; the row
        of each path, int [paths], -1 for an unreadable image; the errors of unreadable images by path.

    Raises:
        ZooError: the weights of VGG16 are missing, or the cache cannot be written.
    """
    folder = cache_folder(blocks)
    digests, errors = _digests(paths)
    names = list(dict.fromkeys(digests.values()))
    table = np.zeros((len(names), *shape_after(blocks)), np.float16)
    rows = {name: row for row, name in enumerate(names)}
    missing = set(rows) - _load(folder, rows, table)
    if missing:
        paths_of = {digest: path for path, digest in digests.items() if digest in missing}
        bad = _compute(folder, paths_of, rows, table, blocks)
        errors |= {path: bad[digest] for path, digest in digests.items() if digest in bad}
    found = [-1 if path in errors else rows[digests[path]] for path in paths]
    return table, np.array(found, int), errors


def cached_features(
    examples: Sequence[CaptionedImage], blocks: int = len(BLOCKS)
) -> tuple[np.ndarray, np.ndarray, dict[Path, str]]:
    """Return `extract_features` of the images of examples. It stays in memory between epochs."""
    return _in_memory(tuple(example.image for example in examples), blocks)


@functools.lru_cache(maxsize=2)  # the train and dev images of a run
def _in_memory(
    paths: tuple[Path, ...], blocks: int
) -> tuple[np.ndarray, np.ndarray, dict[Path, str]]:
    return extract_features(paths, blocks)


def _digests(paths: Sequence[Path]) -> tuple[dict[Path, str], dict[Path, str]]:
    digests: dict[Path, str] = {}
    errors: dict[Path, str] = {}
    for path in paths:
        try:
            digests[path] = file_digest(path)
        except ZooError as error:
            errors[path] = str(error)
    return digests, errors


def _load(folder: Path, rows: dict[str, int], table: np.ndarray) -> set[str]:
    """Fill `table` from the shards, and return the digests that they contain."""
    found: set[str] = set()
    shards = [p for p in sorted(folder.glob("*.npz")) if not p.name.startswith(PART)]
    for shard in progress(shards, "Reading features", len(shards), "shard"):
        try:
            with np.load(shard, allow_pickle=False) as file:
                names = [str(name) for name in file["digests"]]
                wanted = [i for i, name in enumerate(names) if name in rows]
                if wanted:
                    features = file["features"]
                    if (
                        features.shape != (len(names), *table.shape[1:])
                        or features.dtype != np.float16
                    ):
                        raise ValueError("its features have another shape or dtype")
                    table[[rows[names[i]] for i in wanted]] = features[wanted]
        except Exception as error:  # zipfile and NumPy raise many kinds for a damaged archive
            say(f"{shard} is corrupt. Its features are computed again: {error}.")
            shard.unlink(missing_ok=True)
        else:
            found.update(names[i] for i in wanted)
    return found


def _compute(
    folder: Path, missing: dict[str, Path], rows: dict[str, int], table: np.ndarray, blocks: int
) -> dict[str, str]:
    """Compute and store the features of missing images. Return the errors of unreadable ones."""
    from zoo.common.runtime.keras_model import keras_function

    encode = keras_function(vgg16.build_vgg16(blocks))
    errors: dict[str, str] = {}
    unsaved: list[str] = []
    images = _read(missing, errors)
    while batch := list(itertools.islice(images, BATCH)):
        names, pixels = zip(*batch, strict=True)
        table[[rows[name] for name in names]] = encode(image=np.float32(pixels))["features"]
        unsaved += names
        if len(unsaved) >= SHARD:
            _save(folder, unsaved, rows, table)
            unsaved = []
    if unsaved:
        _save(folder, unsaved, rows, table)
    return errors


def _read(images: dict[str, Path], errors: dict[str, str]) -> Iterator[tuple[str, np.ndarray]]:
    for digest, path in progress(images.items(), "Reading images", len(images), "image"):
        try:
            yield digest, read_image(path)
        except ZooError as error:
            errors[digest] = str(error)


def _save(folder: Path, names: list[str], rows: dict[str, int], table: np.ndarray) -> None:
    shard = hashlib.sha256("".join(names).encode()).hexdigest()[:32]
    with atomic_file(folder / f"{shard}.npz") as path:
        np.savez(path, digests=np.array(names), features=table[[rows[name] for name in names]])
