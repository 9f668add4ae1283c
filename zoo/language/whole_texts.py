"""Data whose examples are whole texts: reading, tokenization, splitting and counting."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from zoo.common.core.capabilities import CustomSplit, PreparedExamples, WindowedExamples
from zoo.common.data.manifests import MAX_WHOLE_BYTES
from zoo.common.data.vocabulary import Vocabulary
from zoo.language.text_inputs import TextInputs
from zoo.language.texts import Text
from zoo.language.tokenization import TOKENIZATIONS


@dataclass(frozen=True)
class TokenizedText:
    """A text for training or evaluation.

    Args:
        id: name of the file, and the part of it if the text is divided.
        tokens: its words, with ends of lines, or its characters.
        split: name of the split; None if the text belongs to no corpus.
    """

    id: str
    tokens: Sequence[str]
    split: str | None = None


class WholeTexts(TextInputs, WindowedExamples, PreparedExamples, CustomSplit):
    """Data whose examples are texts. Subclasses define the windows that training divides them into.

    Args:
        tokenization: one of `TOKENIZATIONS`.
    """

    counted: ClassVar[tuple[str, str]] = ("tokens", "tokens")

    tokenization: str

    def split_tokens(self, text: str) -> Sequence[str]:
        """Return the tokens of a text."""
        return TOKENIZATIONS[self.tokenization].split(text)

    def read_manifest(self, path: Path) -> list[TokenizedText]:
        """Return the lines of a user's file, or of a column of it, as one text. Each line has an end."""
        lines = self.read_texts(path, MAX_WHOLE_BYTES)
        return self.prepare([Text(path.name, "\n".join([*lines, ""]))])

    def prepare(self, examples: list[Text]) -> list[TokenizedText]:
        """Return the texts of a corpus as tokens."""
        return [TokenizedText(e.id, self.split_tokens(e.text), e.split) for e in examples]

    def split_dev(
        self, examples: list[TokenizedText], fraction: float, seed: int
    ) -> tuple[list[TokenizedText], list[TokenizedText]]:
        """Return (train, dev), where dev is the beginning of each text.

        A test split often continues the training text in the middle of a play. A dev split from the end
        of the text would therefore be more similar to the training text than the test split is.
        """
        train, dev = [], []
        for text in examples:
            end = round(len(text.tokens) * fraction)
            dev.append(TokenizedText(f"{text.id}, first part", text.tokens[:end], text.split))
            train.append(TokenizedText(f"{text.id}, last part", text.tokens[end:], text.split))
        return train, dev

    def num_examples(self, examples: list[TokenizedText]) -> int:
        """Return the number of tokens."""
        return sum(len(text.tokens) for text in examples)

    def checksum(self, examples: list[TokenizedText]) -> str:
        """Return the SHA-256 digest of the tokens of the texts, in order."""
        digest = hashlib.sha256()
        for text in examples:
            digest.update("\0".join(text.tokens).encode() + b"\0\0")
        return digest.hexdigest()


def take_vocabulary(
    data: Any, examples: list[TokenizedText], model: Any, specials: Sequence[str]
) -> tuple[Any, Any]:
    """Return data with the vocabulary of texts, unless it has one, and a model with its size.

    Args:
        data: data with the fields `vocabulary` and `min_count`.
        examples: the texts.
        model: config with the field `vocabulary_size`.
        specials: tokens that the vocabulary always has.
    """
    vocabulary = data.vocabulary or Vocabulary.of(
        (text.tokens for text in examples), specials, data.min_count
    )
    return replace(data, vocabulary=vocabulary), replace(model, vocabulary_size=len(vocabulary))
