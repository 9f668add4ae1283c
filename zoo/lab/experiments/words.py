"""Words as one-hot vectors and as dense ones: what a product of two of them says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.utils.plots import figure
from zoo.lab.experiment import Outcome, register_experiment

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from zoo.language.embeddings.word_vectors import WordVectors

PRESET = "language/lstm-small-ptb"
PAIR = ("motel", "hotel")
WORDS = (*PAIR, "monday", "friday", "three", "four", "bank", "could")
# Numbers of a vector that are drawn.
SHOWN = 24


@register_experiment("words", seconds=8)
def words() -> Outcome:
    """Motel and hotel: one-hot vectors are all equally unlike, learnt dense ones are not."""
    vectors, counts = load()
    rows = [vectors.index[word] for word in WORDS]
    one_hot = np.eye(len(vectors.words))[rows]
    dense = vectors.unit[rows]
    products = {"one_hot": one_hot @ one_hot.T, "dense": dense @ dense.T}
    numbers = {
        "preset": PRESET,
        "words": list(WORDS),
        "counts": {word: counts[word] for word in WORDS},
        "vocabulary_size": len(vectors.words),
        "embedding_size": vectors.vectors.shape[1],
        "cosines": {name: matrix.tolist() for name, matrix in products.items()},
        "places": {f"{a} from {b}": place(vectors, a, b) for a, b in (PAIR, PAIR[::-1])},
        "nearest": {word: vectors.neighbours(word, 5) for word in WORDS},
    }
    return Outcome(numbers, {"motel": _draw(one_hot, dense, rows, products)}, _text(numbers))


def load() -> tuple[WordVectors, dict[str, int]]:
    """Return the vectors that the shipped word model reads words as, and the count of each word."""
    import zoo
    from zoo.language.embeddings.word_vectors import WordVectors

    preset = zoo.load(PRESET)
    vocabulary = preset.recipe.data.vocabulary
    table = np.asarray(preset.model.get_layer("embedding").embeddings, np.float32)
    counts = dict(zip(vocabulary.tokens, vocabulary.counts, strict=True))
    return WordVectors(vocabulary.tokens, table), counts


def place(vectors: WordVectors, word: str, other: str) -> int:
    """Return how near `word` is to `other`: 1 is the nearest of all words but `other` itself."""
    cosines = vectors.unit @ vectors.unit[vectors.index[other]]
    nearer = cosines > cosines[vectors.index[word]]
    nearer[vectors.index[other]] = False
    return int(nearer.sum()) + 1


def _text(numbers: dict[str, Any]) -> str:
    size, dense = numbers["vocabulary_size"], numbers["embedding_size"]
    cosine = {name: matrix[0][1] for name, matrix in numbers["cosines"].items()}
    first, second = PAIR
    lines = [
        f"one-hot: {size} numbers a word, one of them 1. {first} . {second} = {cosine['one_hot']:.0f}",
        f"dense:   {dense} numbers a word. cosine of {first} and {second} = {cosine['dense']:.2f}",
        f"{first} stands {numbers['counts'][first]} times in the text; from {second} it is the "
        f"{numbers['places'][f'{first} from {second}']}th nearest of {size} words",
    ]
    for word, found in numbers["nearest"].items():
        near = ", ".join(f"{row['word']} {row['similarity']:.2f}" for row in found)
        lines.append(f"  {word}: {near}")
    return "\n".join(lines)


# Figures ------------------------------------------------------------------------------------------


def _draw(
    one_hot: np.ndarray, dense: np.ndarray, rows: list[int], products: dict[str, np.ndarray]
) -> Figure:
    """Above the vectors of the pair, below the products of all words."""
    picture = figure(figsize=(12, 8.2))
    axes = picture.subplots(2, 2, height_ratios=(1, 4))
    # The places where the pair have their ones, and what is between them.
    columns = np.sort(np.concatenate([rows[:2], np.linspace(0, one_hot.shape[1] - 1, SHOWN - 2)]))
    _draw_vectors(axes[0, 0], one_hot[:2, columns.astype(int)], numbers=True)
    axes[0, 0].set_title(f"one-hot: {one_hot.shape[1]:,} numbers, {SHOWN} of them drawn")
    _draw_vectors(axes[0, 1], dense[:2, :SHOWN], numbers=False)
    axes[0, 1].set_title(f"dense: {dense.shape[1]} numbers, the first {SHOWN} drawn")
    _draw_products(axes[1, 0], products["one_hot"], "product: every two words are equally unlike")
    _draw_products(axes[1, 1], products["dense"], "cosine: words that stand alike are alike")
    return picture


def _draw_vectors(axes: Axes, vectors: np.ndarray, numbers: bool) -> None:
    limit = np.abs(vectors).max()
    axes.imshow(vectors, cmap="RdBu", vmin=-limit, vmax=limit, aspect="auto")
    axes.set_yticks(range(2), PAIR)
    axes.set_xticks([])
    if numbers:
        for (row, column), value in np.ndenumerate(vectors):
            color = "white" if value else "black"
            axes.text(column, row, f"{value:.0f}", ha="center", va="center", color=color)


def _draw_products(axes: Axes, matrix: np.ndarray, title: str) -> None:
    axes.imshow(matrix, cmap="Blues", vmin=0, vmax=1)
    for (row, column), value in np.ndenumerate(matrix):
        color = "white" if value > 0.6 else "black"
        axes.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=9, color=color)
    axes.set_xticks(range(len(WORDS)), WORDS, rotation=45)
    axes.set_yticks(range(len(WORDS)), WORDS)
    axes.set_title(title)
