"""Corpora: what one is, where it comes from, how it is read; and where its files lie."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError


@dataclass(frozen=True)
class Corpus:
    """A corpus: metadata and reader in one place, one file a corpus.

    name: str. The name of its folder under `ZOO_DATA`.
    title, licence, source: str. What it is, its terms, and where to get it.
    read: of its folder and the name of a split, to the split's examples in the corpus's own order.
        It raises `ZooError` for a folder that is not laid out like the corpus, a split that is not
        there, and for the first bad line of its lists, by number. "all" is every split.
    train_split, test_split: str. What the corpus calls them.
    dev_split: str. The split to choose by; None where a part of train is split off for it.
    folder: Path. Where it lies if it travels with the package; None for one that a user has to fetch.
    """

    name: str
    title: str
    licence: str
    source: str
    read: Callable[[Path, str], list[Any]]
    train_split: str = "train"
    test_split: str = "test"
    dev_split: str | None = None
    folder: Path | None = None


@dataclass(frozen=True)
class Source:
    """Where examples come from: a corpus's folder or the user's own manifest, one of the two."""

    folder: Path | None = None
    manifest: Path | None = None

    def __str__(self) -> str:
        return str(self.manifest or self.folder)


def check_folder(corpus: str, folder: Path) -> None:
    """Check that the folder of a corpus is there.

    Raises:
        ZooError: it is not.
    """
    if not folder.is_dir():
        raise ZooError(f"{folder}: no such folder; the corpus {corpus!r} is looked for there.")


def no_such_split(where: object, there: list[str], split: str) -> ZooError:
    """Return the error about a split that is not there.

    Args:
        where: the corpus's folder or the manifest. there: its splits. split: what was asked for.
    """
    valid = ", ".join(map(repr, [*there, "all"]))
    return ZooError(f"{where}: no such split. There are: {valid}. Received: {split!r}.")
