"""Lexicons: which words a search may find, and how each is written in the labels of a model.

A lexicon file has a word a line. Alone, it is written by its own letters; else its symbols follow it,
as in a dictionary of pronunciations:

    HELLO                   TWO  T UW
    WORLD                   TWO(2)  T AH

A word that stands in several lines, or is marked by (2), (3), is written in several ways. Lines that
begin with ";;;" are comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from zoo.common.core.errors import ZooError
from zoo.common.data.labels import Labels
from zoo.common.data.manifests import read_lines

COMMENT = ";;;"
# Words that an error or a note names.
NAMED = 8


@dataclass(frozen=True)
class Lexicon:
    """Words with their spellings.

    spellings: dict of str to a list of tuples of int. Labels, without blanks and separators.
    left_out: tuple of str. Words that the labels cannot write.
    """

    spellings: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def read_lexicon(path: Path, labels: Labels) -> Lexicon:
    """Return the lexicon of a file.

    Raises:
        ZooError: the file is missing or empty, or the labels can write none of its words.
    """
    lines = (line for _, line in read_lines(path) if not line.startswith(COMMENT))
    rows = ((re.sub(r"\(\d+\)$", "", word), symbols) for word, *symbols in map(str.split, lines))
    return _lexicon(rows, labels, path)


def spell_words(words: Iterable[str], labels: Labels, source: str | Path) -> Lexicon:
    """Return the lexicon of words that are written by their own letters.

    Args:
        source: what an error calls the words' origin.

    Raises:
        ZooError: the labels can write none of them.
    """
    return _lexicon(((word, []) for word in words), labels, source)


def _lexicon(rows: Iterable[tuple[str, list[str]]], labels: Labels, source: str | Path) -> Lexicon:
    known = set(labels.symbols)
    spellings: dict[str, list[tuple[int, ...]]] = {}
    outside: dict[str, set[str]] = {}
    for word, given in rows:
        symbols = given or ([*word] if labels.unit == "character" else [word])
        if unknown := set(symbols) - known:
            outside[word] = unknown
            continue
        joint = "" if labels.unit == "character" else " "
        spelling = tuple(labels.encode(joint.join(symbols)))
        if spelling not in spellings.setdefault(word, []):
            spellings[word].append(spelling)
    if not spellings and not outside:
        raise ZooError(f"{source} lists no word.")
    if not spellings:
        symbols = sorted(set().union(*outside.values()))
        raise ZooError(
            f"{source} has no word that the model can write: "
            f"{' '.join(symbols)[:80]!r} is not among its labels {' '.join(labels.symbols)[:200]!r}. "
            f"Received: {name_some(outside)}."
        )
    return Lexicon(spellings, tuple(word for word in outside if word not in spellings))


def name_some(words: Iterable[str]) -> str:
    """Return words for a person to read: the first few, and how many more there are."""
    words = list(words)
    more = f" and {len(words) - NAMED} more" if len(words) > NAMED else ""
    return ", ".join(repr(word[:40]) for word in words[:NAMED]) + more
