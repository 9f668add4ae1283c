"""Digests of the examples of a run: a file with "train" or "dev" and a digest in each line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from zoo.common.core.data import Data
from zoo.common.core.errors import ZooError
from zoo.common.utils.files import read_text, write_text

FILE = "examples.txt"
TRAIN, DEV = "train", "dev"


def write(folder: Path, data: Data, train: Sequence[Any], dev: Sequence[Any]) -> None:
    """Write the digests of the examples of a run into its folder."""
    lines = [
        f"{part} {digest}\n"
        for part, examples in ((TRAIN, train), (DEV, dev))
        for digest in sorted({data.example_digest(example) for example in examples})
    ]
    write_text(folder / FILE, "".join(lines))


def read(folder: Path) -> dict[str, set[str]]:
    """Return the digests of a run by part; no parts for a preset, or a run of an earlier version.

    Raises:
        ZooError: the file is corrupt.
    """
    found: dict[str, set[str]] = {}
    if not (folder / FILE).exists():
        return found
    for number, line in enumerate(read_text(folder / FILE).splitlines(), start=1):
        part, _, digest = line.partition(" ")
        if part not in (TRAIN, DEV) or not digest:
            raise ZooError(f"{folder / FILE}, line {number}: corrupt: {line[:80]!r}")
        found.setdefault(part, set()).add(digest)
    return found
