"""What VGG16 sees in images, computed once and kept on disk.

An image is known by the SHA-256 of its file's bytes, wherever the file lies. The cache is a folder for
each encoder and image size, of shards that are each written whole: an interruption costs the shard
that was being made. A zip archive holds a CRC-32 of each member, so a damaged shard is noticed when
it is read; it is removed, and what was in it is computed again.
"""

from __future__ import annotations

import hashlib
import itertools
import os
import sys
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from zoo.common.errors import ZooError
from zoo.common.files import PART, atomic_file
from zoo.common.progress import progress
from zoo.vision_language import vgg16
from zoo.vision_language.images import SIZE, read_image
from zoo.vision_language.vgg16 import SHAPE

CACHE_VARIABLE = "ZOO_CACHE"
BATCH = 16
SHARD = 256
# Part of the cache's key: one more whenever `read_image` comes to give other pixels.
PIXELS_VERSION = 1


def cache_folder() -> Path:
    """Where features are kept: below the folder `ZOO_CACHE` names, or below ~/.cache/zoo."""
    root = Path(os.environ.get(CACHE_VARIABLE) or Path.home() / ".cache" / "zoo")
    key = hashlib.sha256(f"{vgg16.checksum()} {SIZE} {PIXELS_VERSION}".encode()).hexdigest()
    return root / f"vgg16-{key[:16]}"


def features_of(paths: Sequence[Path]) -> tuple[np.ndarray, np.ndarray, dict[Path, str]]:
    """The features of image files, from the cache where it has them.

    Returns a table float16 [images, 6, 6, 512], in which files of the same bytes share a place; the
    place of each path int [paths], -1 for an image that cannot be read; and what is wrong with those.

    Raises `ZooError` if VGG16's weights are missing or the cache cannot be written.
    """
    folder = cache_folder()
    digests, errors = _digests(paths)
    names = list(dict.fromkeys(digests.values()))
    table = np.zeros((len(names), *SHAPE), np.float16)
    places = {name: place for place, name in enumerate(names)}
    missing = set(places) - _load(folder, places, table)
    if missing:
        paths_of = {digest: path for path, digest in digests.items() if digest in missing}
        bad = _compute(folder, paths_of, places, table)
        errors |= {path: bad[digest] for path, digest in digests.items() if digest in bad}
    found = [-1 if path in errors else places[digests[path]] for path in paths]
    return table, np.array(found, int), errors


def _digests(paths: Sequence[Path]) -> tuple[dict[Path, str], dict[Path, str]]:
    digests, errors = {}, {}
    for path in paths:
        try:
            digests[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError as error:
            errors[path] = f"{path}: cannot be read: {error.strerror}."
    return digests, errors


def _load(folder: Path, places: dict[str, int], table: np.ndarray) -> set[str]:
    """Fills `table` from the shards; the digests that were in them."""
    found = set()
    shards = [p for p in sorted(folder.glob("*.npz")) if not p.name.startswith(PART)]
    for shard in progress(shards, "Reading features", len(shards), "shard"):
        try:
            with np.load(shard, allow_pickle=False) as file:
                names = [str(name) for name in file["digests"]]
                rows = [row for row, name in enumerate(names) if name in places]
                if rows:
                    features = file["features"]
                    if features.shape != (len(names), *SHAPE) or features.dtype != np.float16:
                        raise ValueError("its features have another shape")
                    table[[places[names[row]] for row in rows]] = features[rows]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
            _say(f"{shard} is corrupt, and its features are computed again: {error}.")
            shard.unlink(missing_ok=True)
        else:
            found.update(names[row] for row in rows)
    return found


def _compute(
    folder: Path, missing: dict[str, Path], places: dict[str, int], table: np.ndarray
) -> dict[str, str]:
    """Runs VGG16 on the missing images and keeps what it sees; what is wrong with unreadable ones."""
    import tensorflow as tf

    model = vgg16.build_vgg16()

    @tf.function(input_signature=[tf.TensorSpec([None, SIZE, SIZE, 3], tf.float32)])
    def encode(image):
        return model({"image": image})["features"]

    errors: dict[str, str] = {}
    unsaved: list[str] = []
    images = _read(missing, errors)
    while batch := list(itertools.islice(images, BATCH)):
        names, pixels = zip(*batch, strict=True)
        table[[places[name] for name in names]] = encode(np.float32(pixels)).numpy()
        unsaved += names
        if len(unsaved) >= SHARD:
            _save(folder, unsaved, places, table)
            unsaved = []
    if unsaved:
        _save(folder, unsaved, places, table)
    return errors


def _read(images: dict[str, Path], errors: dict[str, str]) -> Iterator[tuple[str, np.ndarray]]:
    for digest, path in progress(images.items(), "Looking at images", len(images), "image"):
        try:
            yield digest, read_image(path)
        except ZooError as error:
            errors[digest] = str(error)


def _save(folder: Path, names: list[str], places: dict[str, int], table: np.ndarray) -> None:
    shard = hashlib.sha256("".join(names).encode()).hexdigest()[:32]
    with atomic_file(folder / f"{shard}.npz") as path:
        np.savez(path, digests=np.array(names), features=table[[places[name] for name in names]])


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
