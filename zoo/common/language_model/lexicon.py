"""Read lexicons: the words of a search and their spellings in the labels of a model.

A lexicon file has one word per line. A word is spelled with its own letters, unless its symbols follow
it as in a pronunciation dictionary:

    HELLO                   TWO  T UW
    WORLD                   TWO(2)  T AH

A word can have several spellings, on several lines, optionally marked with (2), (3) and so on. Lines
that begin with ";;;" are comments.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from zoo.common.core.errors import ZooError
from zoo.common.data.labels import Labels
from zoo.common.data.manifests import read_lines
from zoo.common.data.text import split_words

COMMENT = ";;;"
# Maximum number of words in a message.
MAX_LISTED = 8


@dataclass(frozen=True)
class Lexicon:
    """Words with their spellings.

    Args:
        spellings: the spellings of each word, as labels without blanks and separators.
        left_out: words that cannot be spelled with the labels.
    """

    spellings: dict[str, list[tuple[int, ...]]] = field(default_factory=dict)
    left_out: tuple[str, ...] = ()


def read_lexicon(path: Path, labels: Labels) -> Lexicon:
    """Return the lexicon in a file.

    Args:
        path: the file.
        labels: the labels of the model.

    Raises:
        ZooError: the file is missing or empty, or none of its words can be spelled with the labels.
    """
    lines = (line for _, line in read_lines(path) if not line.startswith(COMMENT))
    rows = ((re.sub(r"\(\d+\)$", "", word), symbols) for word, *symbols in map(split_words, lines))
    return _lexicon(rows, labels, path)


def spell_words(words: Iterable[str], labels: Labels, source: str | Path) -> Lexicon:
    """Return the lexicon of words that are spelled with their own letters.

    Args:
        words: the words.
        labels: the labels of the model.
        source: origin of the words, for error messages.

    Raises:
        ZooError: none of the words can be spelled with the labels.
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
        raise ZooError(f"{source} must contain at least one word.")
    if not spellings:
        symbols = sorted(set().union(*outside.values()))
        raise ZooError(
            f"{source} has no word that the model can write: "
            f"{' '.join(symbols)[:80]!r} is not among its labels {' '.join(labels.symbols)[:200]!r}. "
            f"Received: {list_words(outside)}."
        )
    return Lexicon(spellings, tuple(word for word in outside if word not in spellings))


def list_words(words: Iterable[str]) -> str:
    """Return the first `MAX_LISTED` words and the number of the others, for a message."""
    words = list(words)
    more = f" and {len(words) - MAX_LISTED} more" if len(words) > MAX_LISTED else ""
    return ", ".join(repr(word[:40]) for word in words[:MAX_LISTED]) + more
