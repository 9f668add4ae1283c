"""Find the lines of a text on which two language models disagree."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# Lengths of lines in a comparison: shorter lines show little, and longer ones do not fit a plot.
SHORTEST, LONGEST = 6, 24


@dataclass(frozen=True)
class Line:
    """A line of a text with its log-probabilities under two models.

    Args:
        number: number of the line, from 1.
        tokens: its tokens, including its end.
        log_probs: float64 [2, tokens], in nats.
    """

    number: int
    tokens: tuple[str, ...]
    log_probs: np.ndarray

    @property
    def gain(self) -> float:
        """The mean over tokens of the second log-probability minus the first, in nats."""
        return float((self.log_probs[1] - self.log_probs[0]).mean())


def lines_of(tokens: Sequence[str], log_probs: np.ndarray, end: str) -> Iterator[Line]:
    """Yield the lines of a text. The last line may have no end.

    Args:
        tokens: the tokens of the text.
        log_probs: float64 [2, tokens], in nats.
        end: the token that ends a line.
    """
    ends = [i + 1 for i, token in enumerate(tokens) if token == end]
    starts = [0, *ends]
    for number, (start, stop) in enumerate(zip(starts, [*ends, len(tokens)], strict=True), start=1):
        if stop > start:
            yield Line(number, tuple(tokens[start:stop]), log_probs[:, start:stop])


def strongest_disagreements(
    tokens: Sequence[str], log_probs: np.ndarray, end: str, count: int
) -> list[Line]:
    """Return the lines of `SHORTEST` to `LONGEST` tokens on which two models disagree most.

    One half are the lines with the greatest mean gain of the second model over the first; the other
    half, those with the greatest mean gain of the first.

    Args:
        tokens: as in `lines_of`.
        log_probs: as in `lines_of`.
        end: as in `lines_of`.
        count: maximum number of lines.
    """
    lines = [
        line for line in lines_of(tokens, log_probs, end) if SHORTEST <= len(line.tokens) <= LONGEST
    ]
    lines.sort(key=lambda line: -line.gain)
    for_second = lines[: -(-count // 2)]
    for_first = lines[len(for_second) :][-(count // 2) or len(lines) :]
    return for_second + for_first[::-1]
