"""Compare two language models on the lines of a text, and plot their log-probabilities by word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.common.utils.plots import figure, save

# Lengths of lines in a comparison: shorter lines show little, and longer ones do not fit a plot.
SHORTEST, LONGEST = 6, 24
COLOURS = ("tab:orange", "tab:blue")


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


def plot_disagreements(lines: Sequence[Line], names: Sequence[str], path: Path) -> Path:
    """Plot the negative log-probability of each word of some lines under two models, in bits.

    Args:
        lines: at least one line.
        names: names of the two models.
        path: path of the PNG file.
    """
    picture = figure(figsize=(11, 2.3 * len(lines) + 0.6))
    top = max(float((-line.log_probs).max()) for line in lines) / np.log(2)
    for axes, line in zip(np.atleast_1d(picture.subplots(len(lines), 1)), lines, strict=True):
        positions = np.arange(len(line.tokens))
        bits = -line.log_probs / np.log(2)
        for side, (name, colour) in enumerate(zip(names, COLOURS, strict=True)):
            total = f"{name}: {bits[side].sum():.0f} bits"
            axes.bar(positions + 0.4 * side - 0.2, bits[side], 0.4, color=colour, label=total)
        axes.set_xticks(positions, line.tokens, rotation=30, ha="right", rotation_mode="anchor")
        axes.set(ylim=(0, top * 1.25), ylabel="bits")
        axes.set_title(f"line {line.number}", fontsize=9, loc="right")
        axes.grid(axis="y", alpha=0.3)
        axes.legend(loc="upper left", ncols=2, fontsize=8, framealpha=0.9)
    return save(picture, path)
