"""Word vectors as files for other tools: the formats of word2vec and of TensorBoard's projector."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from zoo.common.core.errors import check_choice
from zoo.common.utils.files import atomic_file
from zoo.language.embeddings.word_vectors import WordVectors


def write_text(vectors: WordVectors, path: Path) -> list[Path]:
    """Write `path`.txt in word2vec's text format: a line with both sizes, then one line per word."""
    path = path.with_name(path.name + ".txt")
    with atomic_file(path) as temporary, temporary.open("w", encoding="utf-8") as file:
        file.write("{} {}\n".format(*vectors.vectors.shape))
        for word, row in zip(vectors.words, vectors.vectors, strict=True):
            file.write(f"{word} {' '.join(map(_number, row))}\n")
    return [path]


def write_binary(vectors: WordVectors, path: Path) -> list[Path]:
    """Write `path`.bin in word2vec's binary format.

    The file has a line with both sizes, and for each word its UTF-8, a space, its numbers as
    little-endian float32 and a line break.
    """
    path = path.with_name(path.name + ".bin")
    with atomic_file(path) as temporary, temporary.open("wb") as file:
        file.write(b"%d %d\n" % vectors.vectors.shape)
        for word, row in zip(vectors.words, vectors.vectors.astype("<f4"), strict=True):
            file.write(word.encode() + b" " + row.tobytes() + b"\n")
    return [path]


def write_projector(vectors: WordVectors, path: Path) -> list[Path]:
    """Write `path`-vectors.tsv and `path`-words.tsv, which TensorBoard's projector loads."""
    paths = [path.with_name(f"{path.name}-{what}.tsv") for what in ("vectors", "words")]
    rows = ("\t".join(map(_number, row)) for row in vectors.vectors)
    contents = ("".join(f"{line}\n" for line in lines) for lines in (rows, vectors.words))
    for each, content in zip(paths, contents, strict=True):
        with atomic_file(each) as temporary:
            temporary.write_text(content, encoding="utf-8")
    return paths


def _number(value: np.float32) -> str:
    """Return the shortest decimal number that is equal to a float32."""
    return np.format_float_positional(value, unique=True, trim="-")


WRITERS: dict[str, Callable[[WordVectors, Path], list[Path]]] = {
    "word2vec-text": write_text,
    "word2vec-binary": write_binary,
    "projector": write_projector,
}


def write_vectors(vectors: WordVectors, format_: str, path: Path) -> list[Path]:
    """Write word vectors in a format, and return the paths of the files.

    Args:
        vectors: the word vectors.
        format_: a key of `WRITERS`.
        path: first part of the paths of the files, without a suffix.

    Raises:
        ZooError: the format is unknown, or a file cannot be written.
    """
    check_choice("--to", format_, WRITERS)
    return WRITERS[format_](vectors, path)
