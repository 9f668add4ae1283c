"""What a text is made of: words or characters."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from zoo.common.vocabulary import UNKNOWN

# Ends a line in the vocabulary of words (Mikolov et al. 2010), and stands before a text's first word.
END_OF_LINE = "<eos>"


def words(text: str) -> list[str]:
    """Words between white space, each line's end as END_OF_LINE."""
    lines = text.split("\n")
    if lines[-1] == "":
        lines.pop()
        return [word for line in lines for word in (*line.split(), END_OF_LINE)]
    *ended, last = lines
    return [word for line in ended for word in (*line.split(), END_OF_LINE)] + last.split()


def join_words(tokens: Sequence[str]) -> str:
    """The text of words: one space between them, a new line for END_OF_LINE."""
    return " ".join(tokens).replace(f" {END_OF_LINE} ", "\n").replace(f" {END_OF_LINE}", "\n")


@dataclass(frozen=True)
class Level:
    """How texts become tokens, and how models of them are measured.

    start: str. The token before a text's first. specials: what every vocabulary has.
    split, join: from a text to its tokens and back.
    metric: str. The figure's name; measured: from the mean negative log-probability of a token, in
        nats, to the figure.
    """

    start: str
    specials: tuple[str, ...]
    split: Callable[[str], Sequence[str]]
    join: Callable[[Sequence[str]], str]
    metric: str
    measured: Callable[[float], float]


LEVELS = {
    "word": Level(END_OF_LINE, (END_OF_LINE, UNKNOWN), words, join_words, "perplexity", math.exp),
    "character": Level("\n", ("\n",), str, "".join, "nats_per_char", float),
}
