"""VGG16's features of images, computed once and kept on disk.

An image is known by the SHA-256 of its file's bytes, wherever the file lies. The cache is a folder for
each encoder, number of its blocks and image size, of shards that are each written whole: an
interruption costs the shard that was being made. A zip archive holds a CRC-32 of each member, so a
damaged shard is noticed when it is read; it is removed, and what was in it is computed again.
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
# Part of the cache's key: one more whenever `read_image` comes to give other pixels.
PIXELS_VERSION = 1


def cache_folder(blocks: int = len(BLOCKS)) -> Path:
    """Return where features are kept, in `zoo.common.presets.store.cache`.

    blocks: of VGG16, that an image goes through.
    """
    key = hashlib.sha256(f"{vgg16.checksum()} {SIZE} {PIXELS_VERSION}".encode()).hexdigest()
    return store.cache() / (
        f"vgg16-{key[:16]}" + ("" if blocks == len(BLOCKS) else f"-block{blocks}")
    )


def extract_features(
    paths: Sequence[Path], blocks: int = len(BLOCKS)
) -> tuple[np.ndarray, np.ndarray, dict[Path, str]]:
    """Return the features of image files, from the cache where it has them.

    What is not in the cache is computed on whichever backend Keras runs.

    Args:
        paths: image files. blocks: of VGG16, from the first on, whose output is wanted.

    Returns:
        A table float16 [images, *vgg16.shape_after(blocks)], with one row for files of the same bytes;
        the row of each path int [paths], -1 for an image that cannot be read; and what is wrong with
        those.

    Raises:
        ZooError: VGG16's weights are missing or the cache cannot be written.
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
    """Return `extract_features` of the images of examples, kept in memory from epoch to epoch."""
    return _in_memory(tuple(example.image for example in examples), blocks)


@functools.lru_cache(maxsize=2)  # a run's train and dev images
def _in_memory(paths: tuple[Path, ...], blocks: int):
    return extract_features(paths, blocks)


def _digests(paths: Sequence[Path]) -> tuple[dict[Path, str], dict[Path, str]]:
    digests, errors = {}, {}
    for path in paths:
        try:
            digests[path] = file_digest(path)
        except ZooError as error:
            errors[path] = str(error)
    return digests, errors


def _load(folder: Path, rows: dict[str, int], table: np.ndarray) -> set[str]:
    """Fill `table` from the shards; return the digests that were in them."""
    found = set()
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
                        raise ValueError("its features have another shape")
                    table[[rows[names[i]] for i in wanted]] = features[wanted]
        except Exception as error:  # whatever a damaged archive makes zipfile or NumPy raise
            say(f"{shard} is corrupt, and its features are computed again: {error}.")
            shard.unlink(missing_ok=True)
        else:
            found.update(names[i] for i in wanted)
    return found


def _compute(
    folder: Path, missing: dict[str, Path], rows: dict[str, int], table: np.ndarray, blocks: int
) -> dict[str, str]:
    """Run VGG16 on the missing images and keep its features; return the errors of unreadable ones."""
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
