"""Whole texts as tokens: how a text is read, cut, divided and counted, whatever is learnt from it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from zoo.common.core.data import Data
from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import MAX_WHOLE_BYTES, read_file
from zoo.language.texts import Text
from zoo.language.tokenization import TOKENIZATIONS


@dataclass(frozen=True)
class TokenizedText:
    """A text to learn from or to measure on.

    id: str. The file's name, and the part of it where it is divided.
    tokens: sequence of str. Its words, with ends of lines, or its characters.
    split: str. None where the text belongs to no corpus.
    """

    id: str
    tokens: Sequence[str]
    split: str | None = None


def check_text(source: str) -> None:
    """Check that a text is valid Unicode and not empty.

    Raises:
        ZooError: it is not.
    """
    try:
        source.encode()
    except UnicodeEncodeError as error:
        raise ZooError(f"The text is not UTF-8: see its byte {error.start}.") from None
    if not source.strip():
        raise ZooError("The text is empty.")


class WholeTexts(Data):
    """Data whose examples are texts. A subclass has `tokenization`, a key of `TOKENIZATIONS`."""

    counted: ClassVar[tuple[str, str]] = ("tokens", "tokens")

    tokenization: str

    def split_tokens(self, text: str) -> Sequence[str]:
        """Return the tokens of a text."""
        return TOKENIZATIONS[self.tokenization].split(text)

    def read_manifest(self, path: Path) -> list[TokenizedText]:
        """See `Data.read_manifest`: a text file of one's own."""
        return self.prepare([Text(path.name, read_file(path, MAX_WHOLE_BYTES))])

    def prepare(self, examples: list[Text]) -> list[TokenizedText]:
        """See `Data.prepare`: the texts of a corpus as tokens."""
        return [TokenizedText(e.id, self.split_tokens(e.text), e.split) for e in examples]

    def split_dev(self, examples, fraction, seed):
        """See `Data.split_dev`: the beginning of each text.

        A test split goes on where the training text ends, often in the middle of a play: dev taken from
        the end would be more like the training text than the test split is.
        """
        train, dev = [], []
        for text in examples:
            end = round(len(text.tokens) * fraction)
            dev.append(TokenizedText(f"{text.id}, first part", text.tokens[:end], text.split))
            train.append(TokenizedText(f"{text.id}, last part", text.tokens[end:], text.split))
        return train, dev

    def num_examples(self, examples: list[TokenizedText]) -> int:
        """See `Data.num_examples`: tokens."""
        return sum(len(text.tokens) for text in examples)

    def checksum(self, examples: list[TokenizedText]) -> str:
        """See `Data.checksum`: SHA-256 over the tokens of the texts, in order."""
        digest = hashlib.sha256()
        for text in examples:
            digest.update("\0".join(text.tokens).encode() + b"\0\0")
        return digest.hexdigest()
