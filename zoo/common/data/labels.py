"""Labels: the symbols that transcripts and classes are written in, and their numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError, check_choice

# The one place that fixes which symbol of CTC is the blank; it pads rows of labels, too.
BLANK_INDEX = 0

LABELS_FILE = "alphabet.txt"
BLANK_LINE = "<blank>"

# What a symbol is: a letter of a text, a word (or phoneme) between white space, or a whole text.
UNITS = ("character", "word", "class")


@dataclass(frozen=True)
class Labels:
    """The symbols a model answers in.

    symbols: tuple of str. Each once. Of a text for CTC, symbol i has the label i + 1 and the blank is
        `BLANK_INDEX`; of classes, symbol i is class i.
    unit: str. One of `UNITS`.
    """

    symbols: tuple[str, ...] = ()
    unit: str = "character"

    def __post_init__(self):
        check_choice("The unit of labels", self.unit, UNITS)

    @classmethod
    def of(cls, texts: Iterable[str], unit: str) -> Labels:
        """Return the labels of all symbols in texts, in order."""
        symbols = {symbol for text in texts for symbol in _SPLIT[unit](text)}
        return cls(tuple(sorted(symbols)), unit)

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def size(self) -> int:
        """Outputs of a model: a symbol each, and the blank where there is one."""
        return len(self.symbols) + self._first

    @property
    def separator(self) -> str:
        """What stands between two symbols of a text."""
        return "" if self.unit == "character" else " "

    @cached_property
    def _labels(self) -> dict[str, int]:
        return {symbol: label for label, symbol in enumerate(self.symbols, start=self._first)}

    @property
    def _first(self) -> int:
        return 0 if self.unit == "class" else BLANK_INDEX + 1

    def encode(self, text: str) -> list[int]:
        """Return the label of each symbol of a text.

        Raises:
            ZooError: a symbol is none of them; all such symbols are named.
        """
        symbols = _SPLIT[self.unit](text)
        outside = sorted({symbol for symbol in symbols if symbol not in self._labels})
        if outside:
            raise ZooError(
                f"{self.separator.join(outside)[:80]!r} is not among the {len(self)} labels "
                f"{self.separator.join(self.symbols)[:200]!r}. Received: {text[:80]!r}."
            )
        return [self._labels[symbol] for symbol in symbols]

    def class_of(self, example: Any) -> int:
        """Return the number of the class of an example, which has `id` and `transcript`.

        Raises:
            ZooError: it has a class that is none of the labels, naming the example.
        """
        try:
            return self.encode(example.transcript)[0]
        except ZooError as error:
            raise ZooError(f"The class of {example.id!r}: {error}") from None

    def decode(self, labels: Iterable[int]) -> list[str]:
        """Return the symbol of each label."""
        return [self.symbols[label - self._first] for label in labels]

    def text(self, labels: Iterable[int]) -> str:
        """Return the text of labels, with single spaces between words."""
        return re.sub(" +", " ", self.separator.join(self.decode(labels))).strip()

    def facts(self) -> dict[str, Any]:
        """Return what `zoo.common.core.data.Data.facts` tells of labels.

        `labels`, a symbol for each output of a model, the blank among them; where there is one, `blank`,
        its index, and `separator`, what stands between two symbols of a text.
        """
        labels: dict[str, Any] = {"labels": self._lines}
        if self.unit == "class":
            return labels
        return labels | {"blank": BLANK_INDEX, "separator": self.separator}

    def to_text(self) -> str:
        """Return a line for each output of a model, the blank first where there is one."""
        return "\n".join(self._lines) + "\n"

    @property
    def _lines(self) -> list[str]:
        return [*[BLANK_LINE] * self._first, *self.symbols]

    @classmethod
    def from_text(cls, text: str, path: Path, unit: str) -> Labels:
        """Return the labels that `to_text` gave.

        Raises:
            ZooError: a line is no symbol of that unit, or stands twice, naming `path`.
        """
        lines = text.removesuffix("\n").split("\n")
        empty = cls((), unit)
        head, symbols = lines[: empty._first], lines[empty._first :]
        whole = all(symbol and _SPLIT[unit](symbol) == [symbol] for symbol in symbols)
        if head != [BLANK_LINE] * empty._first or not whole or not symbols:
            what = {"character": "letter", "word": "word", "class": "class"}[unit]
            first = f"{BLANK_LINE} in its first line and " if empty._first else ""
            raise ZooError(f"{path} is corrupt: it must have {first}one {what} in each other line.")
        if len(set(symbols)) < len(symbols):
            raise ZooError(f"{path} is corrupt: a symbol must stand in it once.")
        return cls(tuple(symbols), unit)


def _one(text: str) -> Sequence[str]:
    return [text]


_SPLIT = {"character": list, "word": str.split, "class": _one}
