"""Labels: the symbols of transcripts, or the classes, and their indices."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from zoo.common.core.data import Data
from zoo.common.core.errors import ZooError, check_choice
from zoo.common.data.text import normalize, split_words

# The one place that fixes the blank index of CTC. It also pads rows of labels.
BLANK_INDEX = 0

LABELS_FILE = "alphabet.txt"
BLANK_LINE = "<blank>"

# The unit of a symbol: a letter of a text, a word (or phoneme) between white space, or a class.
UNITS = ("character", "word", "class")


@dataclass(frozen=True)
class Labels:
    """The symbols of a model's outputs.

    Args:
        symbols: tuple of unique str. For CTC, symbol i has the label i + 1 and the blank is
            `BLANK_INDEX`; for classification, symbol i has the label i.
        unit: one of `UNITS`.
    """

    symbols: tuple[str, ...] = ()
    unit: str = "character"

    def __post_init__(self):
        check_choice("The unit of labels", self.unit, UNITS)

    @classmethod
    def of(cls, texts: Iterable[str], unit: str) -> Labels:
        """Return the labels of all symbols in texts, in alphabetical order. The symbols are in NFC."""
        symbols = {symbol for text in texts for symbol in _SPLIT[unit](normalize(text))}
        return cls(tuple(sorted(symbols)), unit)

    def __len__(self) -> int:
        return len(self.symbols)

    @property
    def size(self) -> int:
        """The number of model outputs: one per symbol, and the blank for CTC."""
        return len(self.symbols) + self._first

    @property
    def separator(self) -> str:
        """The text between two symbols."""
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
            ZooError: a symbol has no label. The message lists all such symbols.
        """
        if outside := self.outside(text):
            raise ZooError(
                f"{self.separator.join(outside)[:80]!r} is not among the {len(self)} labels "
                f"{self.separator.join(self.symbols)[:200]!r}. Received: {text[:80]!r}."
            )
        return [self._labels[symbol] for symbol in _SPLIT[self.unit](normalize(text))]

    def outside(self, text: str) -> list[str]:
        """Return the symbols of a text that have no label, sorted."""
        return sorted(set(_SPLIT[self.unit](normalize(text))) - self._labels.keys())

    def class_of(self, example: Any) -> int:
        """Return the index of the class of an example, which has the attributes `id` and `label`.

        Raises:
            ZooError: the class is not among the labels. The message names the example.
        """
        try:
            return self.encode(example.label)[0]
        except ZooError as error:
            raise ZooError(f"The label of {example.id!r}: {error}") from None

    def decode(self, labels: Iterable[int]) -> list[str]:
        """Return the symbol of each label."""
        return [self.symbols[label - self._first] for label in labels]

    def text(self, labels: Iterable[int]) -> str:
        """Return the text of labels, with single spaces between words."""
        return re.sub(" +", " ", self.separator.join(self.decode(labels))).strip()

    def export_metadata(self) -> dict[str, Any]:
        """Return the part of `Data.export_metadata` about labels.

        Returns:
            `labels`, one symbol per model output, including the blank; for CTC also `blank`, its index,
            and `separator`, the text between two symbols.
        """
        labels: dict[str, Any] = {"labels": self._lines}
        if self.unit == "class":
            return labels
        return labels | {"blank": BLANK_INDEX, "separator": self.separator}

    def with_unit(self, unit: str) -> Labels:
        """Return these labels with another unit, such as the one of the data that reads them.

        Raises:
            ZooError: a symbol does not have that unit.
        """
        if not self.symbols or unit == self.unit:
            return replace(self, unit=unit)
        if "class" in (unit, self.unit):
            head = "must" if unit != "class" else "must not"
            raise ZooError(f"Labels of the unit {unit!r} {head} begin with {BLANK_LINE}.")
        for symbol in self.symbols:
            if list(_SPLIT[unit](symbol)) != [symbol]:
                raise ZooError(f"Each label must be one {unit}. Received: {symbol[:80]!r}.")
        return replace(self, unit=unit)

    def to_text(self) -> str:
        """Return one line per model output; for CTC the blank is the first."""
        return "\n".join(self._lines) + "\n"

    @property
    def _lines(self) -> list[str]:
        return [*[BLANK_LINE] * self._first, *self.symbols]

    @classmethod
    def from_text(cls, text: str, path: Path) -> Labels:
        """Return the labels of a `to_text` result.

        The unit is "class" without a blank, else "character" or "word"; see `with_unit`.

        Args:
            text: the result of `to_text`.
            path: path of the file, for error messages.

        Raises:
            ZooError: a line is empty, contains white space, or occurs twice.
        """
        lines = text.removesuffix("\n").split("\n")
        has_blank = lines[0] == BLANK_LINE
        symbols = lines[1:] if has_blank else lines
        unit = "class"
        if has_blank:
            unit = "character" if all(len(symbol) == 1 for symbol in symbols) else "word"
        if not symbols or not all(s and list(_SPLIT[unit](s)) == [s] for s in symbols):
            raise ZooError(f"{path} is corrupt: each line must be one label.")
        if len(set(symbols)) < len(symbols):
            raise ZooError(f"{path} is corrupt: each label must occur once.")
        return cls(tuple(symbols), unit)


class LabelledData(Data):
    """Data with a field `labels`: classes, or the symbols of transcripts."""

    labels: Labels

    def with_labels(self, labels: Labels) -> LabelledData:
        """Return this data with other labels."""
        data: Any = self
        return replace(data, labels=labels)

    def label_texts(self, example: Any) -> Sequence[str]:
        """Return the texts of an example whose symbols are labels."""
        return [example.label]

    def knows(self, examples: Iterable[Any]) -> bool:
        """Return whether the symbols of all examples are among the labels."""
        texts = {text for example in examples for text in self.label_texts(example)}
        return not any(map(self.labels.outside, texts))


def _one(text: str) -> Sequence[str]:
    return [text]


_SPLIT: dict[str, Callable[[str], Sequence[str]]] = {
    "character": list,
    "word": split_words,
    "class": _one,
}
