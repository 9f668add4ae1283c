"""Parallel text: sentences in two languages, side by side in one file or line by line in two."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import (
    parse_json_lines,
    parse_lines,
    read_file,
    read_lines,
    text_field,
)

ZIPPED = ".gz"


@dataclass(frozen=True)
class SentencePair:
    """A sentence and its translation.

    id: str. The file's name, or the split, and the pair's number in it.
    source, target: str. As they were written.
    split: str. None where the pair belongs to none.
    """

    id: str
    source: str
    target: str
    split: str | None = None


def read_manifest(path: Path, languages: tuple[str, str]) -> list[SentencePair]:
    """Return the pairs of a user's own file, in its order.

    Args:
        path: UTF-8 text, plain or gzipped, of one of three kinds. A name that ends in the first of
            `languages`, as "talk.en" or "talk.en.gz", is one of two files of equal lines; beside it
            lies the other, "talk.de". JSON lines are objects with the texts `source` and `target`, and
            `split` if they have any. All else is TSV: a line is a sentence, a tab and its translation.
        languages: the names of the source's and the target's language, as files have them.

    Raises:
        ZooError: the file, the number of the first bad line, what is wrong with it (an empty side, a tab
            too few or too many, invalid JSON), and how many more are bad; or the counts of lines of the
            two files, where they differ.
    """
    path = Path(path)
    name = path.name.removesuffix(ZIPPED)
    if name.endswith(f".{languages[0]}"):
        stem = path.with_name(name.removesuffix(f".{languages[0]}"))
        return read_two_files(stem, languages, path.name)
    numbers = count(1)

    def parse(row: dict[str, Any]) -> SentencePair:
        split = str(row["split"]) if row.get("split") else None
        id = f"{path.name}, {next(numbers)}"
        return SentencePair(id, text_field(row, "source"), text_field(row, "target"), split)

    def parse_tsv(line: str) -> SentencePair:
        fields = line.split("\t")
        if len(fields) != 2:
            raise ZooError(
                f"a line must be a sentence, a tab and its translation. Received: {line[:80]!r}"
            )
        return parse(dict(zip(("source", "target"), fields, strict=True)))

    lines = read_lines(path)
    if lines[0][1].lstrip().startswith("{"):
        return parse_json_lines(path, parse)
    return parse_lines(path, lines, parse_tsv)


def read_two_files(
    stem: Path, languages: tuple[str, str], name: str, split: str | None = None
) -> list[SentencePair]:
    """Return the pairs of two files of equal lines, `<stem>.<language>`, each plain or gzipped.

    Lines that are empty in both are left out.

    Args:
        name: what ids begin with. split: of the pairs.

    Raises:
        ZooError: a file is missing or cannot be read, their counts of lines differ, or a line is empty
            in one of them; the first is named, and how many more there are.
    """
    paths = [_file(stem, language) for language in languages]
    sides = [read_file(path).removesuffix("\n").split("\n") for path in paths]
    if len(sides[0]) != len(sides[1]):
        raise ZooError(
            f"Parallel files must have equal counts of lines. Received: {len(sides[0])} in {paths[0]}, "
            f"{len(sides[1])} in {paths[1]}."
        )
    numbered = enumerate(zip(*sides, strict=True), start=1)
    lines = [(number, pair) for number, pair in numbered if any(side.strip() for side in pair)]
    numbers = iter([number for number, _ in lines])

    def parse(pair: tuple[str, str]) -> SentencePair:
        number = next(numbers)
        for path, side in zip(paths, pair, strict=True):
            if not side.strip():
                raise ZooError(f"empty in {path.name}")
        return SentencePair(f"{name}, {number}", *(side.strip() for side in pair), split)

    return parse_lines(paths[0], lines, parse)


def _file(stem: Path, language: str) -> Path:
    """The plain file, or the gzipped one where that alone is there."""
    plain = stem.with_name(f"{stem.name}.{language}")
    zipped = plain.with_name(plain.name + ZIPPED)
    return zipped if zipped.exists() and not plain.exists() else plain
