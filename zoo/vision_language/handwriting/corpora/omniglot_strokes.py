"""Omniglot as pen strokes: drawings of letters of fifty alphabets, without their names."""

from __future__ import annotations

import io
import pickletools
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from zoo.common.core.corpus import Corpus, Download, check_folder, no_such_split
from zoo.common.core.errors import ZooError
from zoo.common.utils.files import check_file
from zoo.vision_language.handwriting.ink import Drawing

DRAWINGS_FILE = "omniglot.npz"
SPLITS = ("train", "valid", "test")
# Valid strings in the file: the types of arrays, which are int16.
TYPES = {"b", "|", "<", "O8", "i2"}


def read_omniglot(folder: Path, split: str) -> list[Drawing]:
    """Return the drawings of a split, in the order of the file.

    The file has random splits, so that train has other people's drawings of the letters of test. The
    canvas is about 630 units wide, and a pixel of the recording is 6 units.

    Args:
        folder: contains `omniglot.npz`, with an array of drawings for each split. A drawing is int16
            [points, 3]: the offset from the previous point in x and y, and pen_up.
        split: "train", "valid", "test" or "all".

    Raises:
        ZooError: as `zoo.common.core.corpus.Corpus.read`.
    """
    check_folder("omniglot_strokes", folder)
    path = folder / DRAWINGS_FILE
    if split not in (*SPLITS, "all"):
        raise no_such_split(path, list(SPLITS), split)
    check_file(path)
    splits = SPLITS if split == "all" else (split,)
    try:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(f"{name}.npy") for name in splits}
        return [
            Drawing(f"{name} {number}", _points(array), split=name)
            for name, content in members.items()
            for number, array in enumerate(_arrays(content), start=1)
        ]
    except (ValueError, KeyError, EOFError, OSError, zipfile.BadZipFile, zlib.error) as error:
        raise ZooError(
            f"{path} is not a file of drawings: {' '.join(str(error).split())}"
        ) from None


def _points(offsets: np.ndarray) -> np.ndarray:
    """Return offsets int16 [points, 3] as positions float64 [points, 3]."""
    points = offsets.astype(np.float64)
    points[:, :2] = np.cumsum(points[:, :2], axis=0)
    return points


def _arrays(content: bytes) -> Iterator[np.ndarray]:
    """Yield the arrays int16 [points, 3] of a .npy file with a pickle.

    The pickle is not executed. Only its codes for shapes and bytes are read, which are in the order
    (points, 3), False, bytes. Raises `ValueError`.
    """
    file = io.BytesIO(content)
    np.lib.format.read_magic(file)
    np.lib.format.read_array_header_1_0(file)
    first, second, num_points, before = 0, 0, 0, ""
    for opcode, argument, _ in pickletools.genops(file):
        if isinstance(argument, int):
            first, second = second, argument
        elif opcode.name == "TUPLE2":
            num_points = first
        elif isinstance(argument, str) and before == "NEWFALSE":
            yield np.frombuffer(argument.encode("latin-1"), "<i2").reshape(num_points, 3)
        elif opcode.name.endswith("STRING") and argument not in TYPES:
            raise ValueError(f"arrays must be of int16. Received: {str(argument)[:20]!r}")
        before = opcode.name


OMNIGLOT = Corpus(
    name="omniglot_strokes",
    title="Omniglot: pen strokes of 32,000 drawings of letters of fifty alphabets",
    licence="MIT",
    source="https://github.com/hardmaru/sketch-rnn-datasets/tree/master/omniglot",
    read=read_omniglot,
    dev_split="valid",
    downloads=(
        Download(
            "https://raw.githubusercontent.com/hardmaru/sketch-rnn-datasets/master/omniglot/omniglot.npz",
            size=2_280_239,
            checksum="sha256:bd5277621a8c577919491dfa729a59a8b5c216cff9e4fda9cef532db29f120c7",
            recorded="the repository itself (address); the checksum is that of the training file",
        ),
    ),
)
