"""What a text is cut into: words or characters."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zoo.common.data.vocabulary import UNKNOWN

# Ends a line in the vocabulary of words (Mikolov et al. 2010).
END_OF_LINE = "<eos>"
# The index of the token that ends a line in every vocabulary here. It stands before a text's first token
# too: a text begins like a line.
START_INDEX = 0


@dataclass(frozen=True)
class Tokenization:
    """How texts become tokens, and tokens a text.

    start: str. The token that ends a line, and stands before a text's first.
    specials: tuple of str. What every vocabulary begins with; `start` is the first.
    split, join: from a text to its tokens and back.
    """

    start: str
    specials: tuple[str, ...]
    split: Callable[[str], Sequence[str]]
    join: Callable[[Sequence[str]], str]


def split_words(text: str) -> list[str]:
    """Return the words between white space, each line's end as END_OF_LINE."""
    *ended, last = text.split("\n")
    return [word for line in ended for word in (*line.split(), END_OF_LINE)] + last.split()


def join_words(tokens: Sequence[str]) -> str:
    """Return the text of words: one space between them, a new line for END_OF_LINE."""
    text = " ".join("\n" if token == END_OF_LINE else token for token in tokens)
    return re.sub(" ?\n ?", "\n", text)


TOKENIZATIONS = {
    "word": Tokenization(END_OF_LINE, (END_OF_LINE, UNKNOWN), split_words, join_words),
    "character": Tokenization("\n", ("\n",), str, "".join),
}
