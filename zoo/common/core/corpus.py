"""Corpora: their metadata, their readers and their folders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError

# Environment variable with the folder that holds the corpora, each in a folder of its name.
DATA_VARIABLE = "ZOO_DATA"


@dataclass(frozen=True)
class Download:
    """A file of a corpus at its publisher: an archive, which is unpacked, or a single file.

    Args:
        url: its address.
        size: its size in bytes, exact or approximate.
        checksum: "sha256:..." or "md5:..." in hexadecimal; empty if no record of it is known.
        recorded: where the address and the checksum are recorded.
        members: patterns of the paths to unpack from an archive, after `strip`.
        strip: number of leading folders to remove from the paths in an archive.
        name: name of a single file in the folder of the corpus; empty for the name in the address.
    """

    url: str
    size: int
    checksum: str = ""
    recorded: str = ""
    members: tuple[str, ...] = ("*",)
    strip: int = 0
    name: str = ""

    @property
    def file(self) -> str:
        """The name of the downloaded file."""
        return self.name or self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Corpus:
    """A corpus: metadata and reader.

    Args:
        name: name of its folder in `ZOO_DATA`.
        title: its contents in one line.
        licence: its terms of use.
        source: address from which it can be obtained.
        read: maps its folder and the name of a split to the examples, in the order of the corpus; "all"
            means every split. It raises `ZooError` if the folder has another layout, if the split does
            not exist, and for the first invalid line of a list, with its number.
        train_split: name of the train split.
        test_split: name of the test split.
        dev_split: name of the split that chooses the best epoch; None if a part of the train split is
            used.
        folder: its folder if it is distributed with the package; None if users obtain it.
        downloads: what `zoo fetch` downloads. Corpora of the same name share a folder, and may leave
            the declaration to one of them.
        restricted: whether the licence restricts the use, so that users must accept it.
        instructions: how to obtain a corpus without downloads, as sentences.
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
    downloads: tuple[Download, ...] = ()
    restricted: bool = False
    instructions: str = ""

    @property
    def fetch_command(self) -> str:
        """The command that downloads the corpus, or says how to obtain it."""
        accept = " --accept-licence" if self.restricted and self.downloads else ""
        return f"zoo fetch {self.name}{accept}"


@dataclass(frozen=True)
class Source:
    """The origin of examples: either the folder of a corpus or a manifest.

    Args:
        folder: folder of the corpus.
        manifest: a user's list of examples.
    """

    folder: Path | None = None
    manifest: Path | None = None

    def __str__(self) -> str:
        return str(self.manifest or self.folder)


def check_folder(corpus: str, folder: Path) -> None:
    """Check that the folder of a corpus exists.

    Args:
        corpus: name of the corpus.
        folder: its folder.

    Raises:
        ZooError: it does not.
    """
    if not folder.is_dir():
        raise ZooError(f"{folder}: no such folder. It must hold the corpus {corpus!r}.")


def no_such_split(where: object, there: list[str], split: str) -> ZooError:
    """Return the error about a split that does not exist.

    Args:
        where: folder of the corpus, or the manifest.
        there: names of its splits.
        split: the requested split.
    """
    valid = ", ".join(map(repr, [*there, "all"]))
    return ZooError(f"{where}: no such split. There are: {valid}. Received: {split!r}.")
