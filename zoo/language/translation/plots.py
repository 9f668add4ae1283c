"""Attention of a translator as a picture."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.data.vocabulary import END
from zoo.common.tasks.sequence_to_sequence import ENCODER, STEP, decode
from zoo.common.utils.plots import figure, save
from zoo.language.translation.subwords import WORD_START

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

ATTENTION = "attention"


def plot_attention(recipe: Recipe, graphs: Graphs, source: str, path: Path) -> Path:
    """Draw a PNG: how much each piece of a source counted for each piece of its translation.

    Each row sums to 1. The end of the translation is its last row, where it was reached.

    Args:
        recipe: of a translator with the step output `attention`. source: a text.

    Raises:
        ZooError: the text cannot be read, or the translator has no attention.
    """
    if ATTENTION not in {spec.name for spec in recipe.model.step_outputs}:
        raise ZooError(f"{recipe.name} has no attention to draw.")
    item, vocabulary = recipe.data.read_input(source, recipe), recipe.data.vocabulary
    decoded = decode(recipe, graphs[STEP], graphs[ENCODER](**recipe.data.collate([item])), np)
    weights = decoded.extras[ATTENTION][0, 0]
    rows = min(int(decoded.lengths[0, 0]) + 1, len(weights))
    above = vocabulary.decode(item["source"])
    beside = [*vocabulary.decode(decoded.tokens[0, 0, : decoded.lengths[0, 0]]), END][:rows]
    picture = figure(figsize=(2 + 0.35 * len(above), 1.5 + 0.3 * rows))
    axes = picture.subplots()
    image = axes.imshow(weights[:rows], cmap="magma", vmin=0, vmax=1, aspect="auto")
    axes.set_xticks(range(len(above)), [_shown(piece) for piece in above], rotation=60, ha="left")
    axes.set_yticks(range(rows), [_shown(piece) for piece in beside])
    axes.xaxis.tick_top()
    axes.set(xlabel="source", ylabel="translation")
    picture.colorbar(image, label="attention")
    return save(picture, path)


def _shown(piece: str) -> str:
    """A piece with a mark where it goes on with a word, in place of one where a word begins."""
    return piece[1:] if piece.startswith(WORD_START) and len(piece) > 1 else f"·{piece}"
