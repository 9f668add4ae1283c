"""Corpora of running text: UTF-8 files, plain or gzipped. A split is a file or a part of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from zoo.common.core.corpus import check_folder, no_such_split
from zoo.common.data.manifests import MAX_WHOLE_BYTES, read_file


@dataclass(frozen=True)
class Text:
    """A text as its corpus has it.

    id: str. The file's name, and the split.
    text: str. split: str. None where the corpus has none.
    """

    id: str
    text: str
    split: str | None = None


@dataclass(frozen=True)
class Part:
    """Where the text of a split is.

    file: str. Its name, to which ".gz" may be added.
    begin, end: float. The part of the file's characters that the split is.
    """

    file: str
    begin: float = 0
    end: float = 1


def text_reader(corpus: str, splits: dict[str, Part]) -> Callable[[Path, str], list[Text]]:
    """Return the `read` of a corpus, as `zoo.common.core.corpus.Corpus` describes it.

    Args:
        corpus: its name. splits: where the text of each split is.
    """

    def read(folder: Path, split: str) -> list[Text]:
        check_folder(corpus, folder)
        if split not in (*splits, "all"):
            raise no_such_split(corpus, list(splits), split)
        names = [split]
        if split == "all":  # as many as there are: a user may have no more than the test file
            there = [name for name, part in splits.items() if _file(folder, part).exists()]
            names = there or list(splits)
        return [_read(folder, name, splits[name]) for name in names]

    return read


def _read(folder: Path, split: str, part: Part) -> Text:
    text = read_file(_file(folder, part), MAX_WHOLE_BYTES)
    begin, end = round(part.begin * len(text)), round(part.end * len(text))
    return Text(f"{part.file} ({split})", text[begin:end], split)


def _file(folder: Path, part: Part) -> Path:
    """The file of that name, or its gzipped one where that alone is there."""
    plain, zipped = folder / part.file, folder / f"{part.file}.gz"
    return zipped if zipped.exists() and not plain.exists() else plain
