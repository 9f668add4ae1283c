"""Vocabularies: tokens by index, with counts; the one place that names the special ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.utils.files import read_text

# Padding fills batches and stands for nothing; START and END frame a sentence that is generated.
PAD, UNKNOWN, START, END = "<pad>", "<unk>", "<start>", "<end>"
# The first tokens of every vocabulary whose sentences are generated.
SENTENCE_SPECIALS = (PAD, UNKNOWN, START, END)

VOCABULARY_FILE = "vocabulary.txt"
# More than any count has.
MAX_DIGITS = 18


@dataclass(frozen=True)
class Vocabulary:
    """Tokens, whose places are their indices, and how often each stood in the corpus.

    tokens: tuple of str. Words or characters, each once.
    counts: tuple of int. One for each token; 0 for one that is in no corpus, such as padding.
    """

    tokens: tuple[str, ...]
    counts: tuple[int, ...]

    @classmethod
    def of(
        cls, sentences: Iterable[Sequence[str]], specials: Sequence[str] = (), min_count: int = 1
    ) -> Vocabulary:
        """The vocabulary of sentences of tokens: the specials first, in order, then the others from
        the most frequent to the rarest.

        specials: tokens it has in any case. min_count: int. Rarer tokens are left out.
        """
        counts = Counter(token for sentence in sentences for token in sentence)
        others = [
            (token, count)
            for token, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            if count >= min_count and token not in specials
        ]
        rows = [(token, counts[token]) for token in specials] + others
        return cls(tuple(token for token, _ in rows), tuple(count for _, count in rows))

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._indices

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.tokens)}

    def index(self, token: str) -> int:
        """The index of a token; UNKNOWN's where it is none of them. Raises `ZooError` without one."""
        index = self._indices.get(token, self._indices.get(UNKNOWN))
        if index is None:
            raise ZooError(
                f"{token!r} is none of the vocabulary's {len(self)} tokens, and there is no {UNKNOWN}."
            )
        return index

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """The index of each token. Raises as `index`."""
        return [self.index(token) for token in tokens]

    def decode(self, indices: Iterable[int]) -> list[str]:
        """The token of each index."""
        return [self.tokens[index] for index in indices]

    def facts(self) -> dict[str, Any]:
        """What `zoo.common.core.data.Data.facts` tells of a vocabulary: `tokens`, by index, and the
        index of each special one that it has, such as `unknown`."""
        named = {"pad": PAD, "unknown": UNKNOWN, "start": START, "end": END}
        special = {name: self.index(token) for name, token in named.items() if token in self}
        return {"tokens": list(self.tokens), **special}

    def text(self) -> str:
        """A line for each token: the token, a tab, its count. What a line cannot hold is escaped."""
        rows = zip(self.tokens, self.counts, strict=True)
        return "".join(f"{_escaped(token)}\t{count}\n" for token, count in rows)

    @classmethod
    def from_text(cls, text: str, path: Path) -> Vocabulary:
        """The vocabulary that `text` gave. Raises `ZooError` naming `path` and the first bad line."""
        tokens: dict[str, int] = {}
        for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
            escaped, tab, count = line.rpartition("\t")
            token = _unescaped(escaped)
            number_of_times = count.isdecimal() and len(count) <= MAX_DIGITS
            if not tab or not token or not number_of_times or token in tokens:
                raise ZooError(
                    f"{path} is corrupt: a line is a token of its own, a tab and a count. "
                    f"Received in line {number}: {line[:80]!r}."
                )
            tokens[token] = int(count)
        return cls(tuple(tokens), tuple(tokens.values()))

    @classmethod
    def read(cls, folder: Path, specials: Sequence[str]) -> Vocabulary:
        """The vocabulary in VOCABULARY_FILE of a folder.

        Raises `ZooError` as `from_text`, and where `specials` are not its first tokens.
        """
        path = folder / VOCABULARY_FILE
        vocabulary = cls.from_text(read_text(path), path)
        first = vocabulary.tokens[: len(specials)]
        if first != tuple(specials):
            raise ZooError(
                f"{path} is corrupt: its first tokens must be {', '.join(specials)}. "
                f"Received: {', '.join(first)}."
            )
        return vocabulary


_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"))


def _escaped(token: str) -> str:
    for plain, escape in _ESCAPES:
        token = token.replace(plain, escape)
    return token


def _unescaped(text: str) -> str:
    # By pairs from the left: a replaced backslash must not begin another escape.
    plain = {escape[1]: character for character, escape in _ESCAPES}
    pieces = iter(text)
    return "".join(plain.get(next(pieces, ""), "") if c == "\\" else c for c in pieces)
