"""Plots of language models."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from zoo.common.utils.plots import figure, save
from zoo.language.modelling.disagreement import Line

COLOURS = ("tab:orange", "tab:blue")


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
