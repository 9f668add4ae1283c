"""Where two language models disagree: the lines of a text, and a picture of them word by word."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.common.utils.plots import figure, save

# Lines shorter than this say little, and longer ones do not fit a picture.
SHORTEST, LONGEST = 6, 24
COLOURS = ("tab:orange", "tab:blue")


@dataclass(frozen=True)
class Line:
    """A line of a text with what two models give to it.

    number: int. From 1 on. tokens: tuple of str. Its end is the last.
    log_probs: float64 [2, tokens], in nats.
    """

    number: int
    tokens: tuple[str, ...]
    log_probs: np.ndarray

    @property
    def gain(self) -> float:
        """What the second model gives more than the first, in nats, as a mean over the tokens."""
        return float((self.log_probs[1] - self.log_probs[0]).mean())


def lines_of(tokens: Sequence[str], log_probs: np.ndarray, end: str) -> Iterator[Line]:
    """Yield the lines of a text. The last may lack its end.

    Args:
        tokens: the text's. log_probs: float64 [2, tokens]. end: the token that ends a line.
    """
    ends = [i + 1 for i, token in enumerate(tokens) if token == end]
    starts = [0, *ends]
    for number, (start, stop) in enumerate(zip(starts, [*ends, len(tokens)], strict=True), start=1):
        if stop > start:
            yield Line(number, tuple(tokens[start:stop]), log_probs[:, start:stop])


def strongest_disagreements(
    tokens: Sequence[str], log_probs: np.ndarray, end: str, count: int
) -> list[Line]:
    """Return the lines on which two models disagree most: half of them those that the second model
    finds likelier than the first does, by the greatest mean over the words; half the other way.

    Args:
        tokens, log_probs, end: as of `lines_of`. count: how many lines, at most. Of `SHORTEST` to
            `LONGEST` tokens each.
    """
    lines = [
        line for line in lines_of(tokens, log_probs, end) if SHORTEST <= len(line.tokens) <= LONGEST
    ]
    lines.sort(key=lambda line: -line.gain)
    for_second = lines[: -(-count // 2)]
    for_first = lines[len(for_second) :][-(count // 2) or len(lines) :]
    return for_second + for_first[::-1]


def plot_disagreements(lines: Sequence[Line], names: Sequence[str], path: Path) -> Path:
    """Draw how surprised two models are by each word of some lines, in bits, as a PNG.

    Args:
        lines: at least one. names: of the two models. path: the PNG to write.
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
