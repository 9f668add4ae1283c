"""Plots of a translator's attention."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.states import STEP
from zoo.common.data.vocabulary import END
from zoo.common.tasks.sequence_to_sequence import ENCODER, Generator, decode
from zoo.common.utils.plots import figure, save
from zoo.language.translation.subwords import WORD_START

ATTENTION = "attention"


def plot_attention(predictor: Generator, source: str, path: Path) -> Path:
    """Plot the attention to each piece of a source for each piece of its translation.

    Each row sums to 1. The last row is the end of the translation, if it was reached.

    Args:
        predictor: a translator with the step output `attention`.
        source: the text to translate.
        path: path of the PNG file.

    Raises:
        ZooError: the text cannot be read, or the translator has no attention.
    """
    if ATTENTION not in {spec.name for spec in predictor.model.step_outputs}:
        raise ZooError(f"{predictor.name} has no attention to plot.")
    item = predictor.data.read_input(source, predictor.model)
    vocabulary, graphs = predictor.data.vocabulary, predictor.graphs
    states = graphs[ENCODER](**predictor.data.collate([item]))
    decoded = decode(predictor, graphs[STEP], states, np)
    weights = decoded.extras[ATTENTION][0, 0]
    rows = min(int(decoded.lengths[0, 0]) + 1, len(weights))
    columns = vocabulary.decode(item["source"])
    written = [*vocabulary.decode(decoded.tokens[0, 0, : decoded.lengths[0, 0]]), END][:rows]
    picture = figure(figsize=(2 + 0.35 * len(columns), 1.5 + 0.3 * rows))
    axes = picture.subplots()
    image = axes.imshow(weights[:rows], cmap="magma", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(columns)), [_tick(p) for p in columns], rotation=60, ha="left")
    axes.set_yticks(range(rows), [_tick(piece) for piece in written])
    axes.xaxis.tick_top()
    axes.set(xlabel="source", ylabel="translation")
    picture.colorbar(image, label="attention")
    return save(picture, path)


def _tick(piece: str) -> str:
    """Return a piece without its mark of a new word, or with a dot if it continues a word."""
    return piece[1:] if piece.startswith(WORD_START) and len(piece) > 1 else f"·{piece}"
