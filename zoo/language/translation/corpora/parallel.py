"""Read parallel text: sentences in two languages, in one file or in two files of equal lines."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.content import Content
from zoo.common.data.manifests import (
    parse_lines,
    read_file,
    read_lines,
    text_field,
)
from zoo.common.data.tables import first_names, parse_rows
from zoo.common.data.text import normalize

ZIPPED = ".gz"
SOURCE, TARGET = "source", "target"


@dataclass(frozen=True)
class SentencePair:
    """A sentence and its translation.

    Args:
        id: name of the file or split, and the number of the pair in it.
        source: the sentence, in NFC.
        target: its translation, in NFC.
        split: name of the split; None if the file has no splits.
    """

    id: str
    source: str
    target: str
    split: str | None = None

    def content(self) -> Content:
        """Return the sentence and its translation."""
        return Content((self.source, self.target))


def read_manifest(
    path: Path,
    languages: tuple[str, str],
    source: str | None = None,
    target: str | None = None,
) -> list[SentencePair]:
    """Return the pairs of a user's file, in its order.

    Args:
        path: a UTF-8 file, plain or gzipped, in one of three formats. A name that ends with the first of
            `languages`, such as "talk.en" or "talk.en.gz", is one of two files of equal lines in the
            same folder; the other is "talk.de". CSV or TSV with a header, and JSON lines, have the
            columns or keys of both texts, and optionally `split`. Otherwise each line is a sentence, a
            tab and its translation.
        languages: suffixes of source and target files.
        source: column or key of the sentence; None for `source`.
        target: column or key of its translation; None for `target`.

    Raises:
        ZooError: a line is invalid: an empty side, a missing or additional tab, or invalid JSON. The
            message has the path, the first invalid line, and the number of others. Or the two files
            have different numbers of lines.
    """
    path = Path(path)
    name = path.name.removesuffix(ZIPPED)
    columns = source or SOURCE, target or TARGET
    if name.endswith(f".{languages[0]}"):
        stem = path.with_name(name.removesuffix(f".{languages[0]}"))
        return read_two_files(stem, languages, path.name)
    numbers = count(1)

    def parse(row: dict[str, Any]) -> SentencePair:
        split = str(row["split"]) if row.get("split") else None
        id = f"{path.name}, {next(numbers)}"
        sentence, translation = (normalize(text_field(row, key)) for key in columns)
        return SentencePair(id, sentence, translation, split)

    def parse_tsv(line: str) -> SentencePair:
        fields = line.split("\t")
        if len(fields) != 2:
            raise ZooError(
                "a line must be a sentence, a tab and its translation; the columns of a table with a "
                f"header are given by --column and --target-column. Received: {line[:80]!r}"
            )
        return parse(dict(zip(columns, fields, strict=True)))

    lines = read_lines(path)
    has_names = source or target or set(columns) <= set(first_names(path))
    if has_names or lines[0][1].lstrip().startswith("{"):
        return parse_rows(path, columns, parse)
    return parse_lines(path, lines, parse_tsv)


def read_two_files(
    stem: Path, languages: tuple[str, str], name: str, split: str | None = None
) -> list[SentencePair]:
    """Return the pairs of two files of equal lines, `<stem>.<language>`, each plain or gzipped.

    Lines that are empty in both files are left out.

    Args:
        stem: path of the files without the language.
        languages: suffixes of source and target file.
        name: prefix of the ids.
        split: split of the pairs.

    Raises:
        ZooError: a file is missing or cannot be read, the files have different numbers of lines, or a
            line is empty in one of them. The message has the first such line and the number of others.
    """
    paths = [_file(stem, language) for language in languages]
    sides = [read_file(path).removesuffix("\n").split("\n") for path in paths]
    if len(sides[0]) != len(sides[1]):
        raise ZooError(
            f"Parallel files must have the same number of lines. Received: {len(sides[0])} in "
            f"{paths[0]}, {len(sides[1])} in {paths[1]}."
        )
    numbered = enumerate(zip(*sides, strict=True), start=1)
    rows = [(number, *pair) for number, pair in numbered if any(side.strip() for side in pair)]
    remaining = iter(rows)

    def parse(source: str) -> SentencePair:
        number, _, target = next(remaining)
        for path, side in zip(paths, (source, target), strict=True):
            if not side.strip():
                raise ZooError(f"empty in {path.name}")
        source, target = normalize(source.strip()), normalize(target.strip())
        return SentencePair(f"{name}, {number}", source, target, split)

    return parse_lines(paths[0], [(number, source) for number, source, _ in rows], parse)


def _file(stem: Path, language: str) -> Path:
    """Return the path of the plain file, or of the gzipped one if only that exists."""
    plain = stem.with_name(f"{stem.name}.{language}")
    zipped = plain.with_name(plain.name + ZIPPED)
    return zipped if zipped.exists() and not plain.exists() else plain
