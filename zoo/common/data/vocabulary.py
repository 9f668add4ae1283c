"""Vocabularies: tokens by index, with counts, and the special tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError

# PAD fills batches. START and END are the first and last token of a generated sentence.
PAD, UNKNOWN, START, END = "<pad>", "<unk>", "<start>", "<end>"
# The first tokens of every vocabulary of generated sentences.
SENTENCE_SPECIALS = (PAD, UNKNOWN, START, END)

VOCABULARY_FILE = "vocabulary.txt"
# Limit of the digits of a count.
MAX_DIGITS = 18


@dataclass(frozen=True)
class Vocabulary:
    """Tokens by index, and their counts in the corpus.

    Args:
        tokens: tuple of unique str, words or characters. The position of a token is its index.
        counts: tuple of int, one per token; 0 for a token that is not in the corpus, such as padding.
    """

    tokens: tuple[str, ...] = ()
    counts: tuple[int, ...] = ()

    @classmethod
    def of(
        cls, sentences: Iterable[Sequence[str]], specials: Sequence[str] = (), min_count: int = 1
    ) -> Vocabulary:
        """Return the vocabulary of sentences of tokens.

        The special tokens come first, in the given order, then the others by decreasing count.

        Args:
            sentences: sequences of tokens.
            specials: tokens that the vocabulary always has.
            min_count: rarer tokens are left out.
        """
        counts = Counter(token for sentence in sentences for token in sentence)
        others = [
            (token, count)
            for token, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
            if count >= min_count and token not in specials
        ]
        rows = [(token, counts[token]) for token in specials] + others
        return cls(tuple(token for token, _ in rows), tuple(count for _, count in rows))

    def with_tokens(self, tokens: Iterable[str]) -> Vocabulary:
        """Return the vocabulary followed by those tokens that it does not have, with the count 0."""
        others = tuple(dict.fromkeys(token for token in tokens if token not in self))
        return Vocabulary(self.tokens + others, self.counts + (0,) * len(others))

    def __len__(self) -> int:
        return len(self.tokens)

    def __contains__(self, token: str) -> bool:
        return token in self._indices

    @cached_property
    def _indices(self) -> dict[str, int]:
        return {token: index for index, token in enumerate(self.tokens)}

    def index(self, token: str) -> int:
        """Return the index of a token, or of UNKNOWN if the token is not in the vocabulary.

        Raises:
            ZooError: neither is in the vocabulary.
        """
        index = self._indices.get(token, self._indices.get(UNKNOWN))
        if index is None:
            raise ZooError(
                f"{token!r} is not in the vocabulary of {len(self)} tokens, which has no {UNKNOWN}."
            )
        return index

    def encode(self, tokens: Iterable[str]) -> list[int]:
        """Return the index of each token. Raises as `index`."""
        return [self.index(token) for token in tokens]

    def decode(self, indices: Iterable[int]) -> list[str]:
        """Return the token of each index."""
        return [self.tokens[index] for index in indices]

    def check_first(self, specials: Sequence[str]) -> None:
        """Check that the vocabulary is empty or begins with special tokens.

        Raises:
            ZooError: it begins with other tokens.
        """
        first = self.tokens[: len(specials)]
        if self.tokens and first != tuple(specials):
            raise ZooError(
                f"The first tokens of {VOCABULARY_FILE} must be {', '.join(map(repr, specials))}. "
                f"Received: {', '.join(map(repr, first))}."
            )

    def export_metadata(self) -> dict[str, Any]:
        """Return the part of `Data.export_metadata` about a vocabulary.

        Returns:
            `tokens` by index, and the index of each special token, such as `unknown`.
        """
        named = {"pad": PAD, "unknown": UNKNOWN, "start": START, "end": END}
        special = {name: self.index(token) for name, token in named.items() if token in self}
        return {"tokens": list(self.tokens), **special}

    def to_text(self) -> str:
        """Return one line per token: the token, a tab, its count. Line breaks and tabs are escaped."""
        rows = zip(self.tokens, self.counts, strict=True)
        return "".join(f"{_escaped(token)}\t{count}\n" for token, count in rows)

    @classmethod
    def from_text(cls, text: str, path: Path) -> Vocabulary:
        """Return the vocabulary of a `to_text` result.

        Args:
            text: the result of `to_text`.
            path: path of the file, for error messages.

        Raises:
            ZooError: a line is invalid. The message has the path and the first invalid line.
        """
        tokens: dict[str, int] = {}
        for number, line in enumerate(text.removesuffix("\n").split("\n"), start=1):
            escaped, tab, count = line.rpartition("\t")
            token = _unescaped(escaped)
            is_count = count.isdecimal() and len(count) <= MAX_DIGITS
            if not tab or not token or not is_count or token in tokens:
                raise ZooError(
                    f"{path} is corrupt: each line must be a unique token, a tab and a count. "
                    f"Received in line {number}: {line[:80]!r}."
                )
            tokens[token] = int(count)
        return cls(tuple(tokens), tuple(tokens.values()))


_ESCAPES = (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"))


def _escaped(token: str) -> str:
    for plain, escape in _ESCAPES:
        token = token.replace(plain, escape)
    return token


def _unescaped(text: str) -> str:
    # Pairs are replaced from the left, since a replaced backslash must not start another escape.
    plain = {escape[1]: character for character, escape in _ESCAPES}
    pieces = iter(text)
    return "".join(plain.get(next(pieces, ""), "") if c == "\\" else c for c in pieces)
