"""Tokenization of running text into words or characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zoo.common.data import text as texts
from zoo.common.data.vocabulary import UNKNOWN

# The token that ends a line in a vocabulary of words (Mikolov et al. 2010).
END_OF_LINE = "<eos>"
# The index of the token that ends a line, in every vocabulary of running text. It also precedes the
# first token of a text.
START_INDEX = 0


@dataclass(frozen=True)
class Tokenization:
    """A conversion between texts and tokens.

    Args:
        start: the token that ends a line and precedes the first token of a text.
        specials: the first tokens of every vocabulary; `start` is the first of them.
        split: maps a text to its tokens, in NFC.
        join: maps tokens to their text.
    """

    start: str
    specials: tuple[str, ...]
    split: Callable[[str], Sequence[str]]
    join: Callable[[Sequence[str]], str]


def split_words(text: str) -> list[str]:
    """Return the words between white space, with END_OF_LINE at the end of each line."""
    *ended, last = text.split("\n")
    words = [word for line in ended for word in (*texts.split_words(line), END_OF_LINE)]
    return words + texts.split_words(last)


def join_words(tokens: Sequence[str]) -> str:
    """Return the text of words, with single spaces between them and line breaks for END_OF_LINE."""
    text = " ".join("\n" if token == END_OF_LINE else token for token in tokens)
    return re.sub(" ?\n ?", "\n", text)


TOKENIZATIONS = {
    "word": Tokenization(END_OF_LINE, (END_OF_LINE, UNKNOWN), split_words, join_words),
    "character": Tokenization("\n", ("\n",), texts.normalize, "".join),
}
