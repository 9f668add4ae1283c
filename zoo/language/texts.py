"""Read corpora of running text: UTF-8 files, plain or gzipped. A split is a file or a part of one."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from zoo.common.core.corpus import check_folder, no_such_split
from zoo.common.data.content import Content
from zoo.common.data.manifests import MAX_WHOLE_BYTES, read_file


@dataclass(frozen=True)
class Text:
    """A text of a corpus.

    Args:
        id: name of the file, and the split.
        text: the characters.
        split: name of the split; None if the corpus has no splits.
    """

    id: str
    text: str
    split: str | None = None

    def content(self) -> Content:
        """Return the characters."""
        return Content((self.text,))


@dataclass(frozen=True)
class Part:
    """The location of the text of a split.

    Args:
        file: name of the file, without ".gz".
        begin: start of the split, as a share of the characters of the file.
        end: end of the split, as a share of the characters of the file.
    """

    file: str
    begin: float = 0
    end: float = 1


def text_reader(corpus: str, splits: dict[str, Part]) -> Callable[[Path, str], list[Text]]:
    """Return the function `read` of a `zoo.common.core.corpus.Corpus`.

    Args:
        corpus: name of the corpus.
        splits: location of the text of each split.
    """

    def read(folder: Path, split: str) -> list[Text]:
        check_folder(corpus, folder)
        if split not in (*splits, "all"):
            raise no_such_split(corpus, list(splits), split)
        names = [split]
        if split == "all":  # the existing files: a user may have the test file only
            existing = [name for name, part in splits.items() if _file(folder, part).exists()]
            names = existing or list(splits)
        return [_read(folder, name, splits[name]) for name in names]

    return read


def _read(folder: Path, split: str, part: Part) -> Text:
    text = read_file(_file(folder, part), MAX_WHOLE_BYTES)
    begin, end = round(part.begin * len(text)), round(part.end * len(text))
    return Text(f"{part.file} ({split})", text[begin:end], split)


def _file(folder: Path, part: Part) -> Path:
    """Return the path of the plain file, or of the gzipped one if only that exists."""
    plain, zipped = folder / part.file, folder / f"{part.file}.gz"
    return zipped if zipped.exists() and not plain.exists() else plain
