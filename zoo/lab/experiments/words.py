"""Compare the similarities of one-hot word vectors and of learnt dense word vectors."""

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
# Number of drawn components of a vector.
SHOWN = 24


@register_experiment("words", seconds=8)
def words() -> Outcome:
    """Compare one-hot vectors and learnt dense vectors of words such as motel and hotel."""
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
        "places": {f"{a} from {b}": rank(vectors, a, b) for a, b in (PAIR, PAIR[::-1])},
        "nearest": {word: vectors.neighbours(word, 5) for word in WORDS},
    }
    return Outcome(numbers, {"motel": _draw(one_hot, dense, rows, products)}, _text(numbers))


def load() -> tuple[WordVectors, dict[str, int]]:
    """Return the word embeddings of the shipped word model, and the count of each word."""
    import zoo
    from zoo.language.embeddings.word_vectors import WordVectors

    preset = zoo.load(PRESET)
    data: Any = preset.recipe.data
    vocabulary = data.vocabulary
    table = np.asarray(preset.model.get_layer("embedding").embeddings, np.float32)
    counts = dict(zip(vocabulary.tokens, vocabulary.counts, strict=True))
    return WordVectors(vocabulary.tokens, table), counts


def rank(vectors: WordVectors, word: str, other: str) -> int:
    """Return the rank of `word` among the nearest words of `other`: 1 is the nearest word."""
    cosines = vectors.unit @ vectors.unit[vectors.index[other]]
    nearer = cosines > cosines[vectors.index[word]]
    nearer[vectors.index[other]] = False
    return int(nearer.sum()) + 1


def _text(numbers: dict[str, Any]) -> str:
    size, dense = numbers["vocabulary_size"], numbers["embedding_size"]
    cosine = {name: matrix[0][1] for name, matrix in numbers["cosines"].items()}
    first, second = PAIR
    lines = [
        f"one-hot: {size} numbers per word, one of them 1. "
        f"{first} . {second} = {cosine['one_hot']:.0f}",
        f"dense:   {dense} numbers per word. cosine of {first} and {second} = {cosine['dense']:.2f}",
        f"{first} occurs {numbers['counts'][first]} times in the text; its rank among the "
        f"{size} nearest words of {second} is {numbers['places'][f'{first} from {second}']}",
    ]
    for word, found in numbers["nearest"].items():
        near = ", ".join(f"{row['word']} {row['similarity']:.2f}" for row in found)
        lines.append(f"  {word}: {near}")
    return "\n".join(lines)


# Figures ------------------------------------------------------------------------------------------


def _draw(
    one_hot: np.ndarray, dense: np.ndarray, rows: list[int], products: dict[str, np.ndarray]
) -> Figure:
    """Draw the vectors of the pair, and below them the similarities of all words."""
    picture = figure(figsize=(12, 8.2))
    axes = picture.subplots(2, 2, height_ratios=(1, 4))
    # The components that are 1 for a word of the pair, and components between them.
    columns = np.sort(np.concatenate([rows[:2], np.linspace(0, one_hot.shape[1] - 1, SHOWN - 2)]))
    _draw_vectors(axes[0, 0], one_hot[:2, columns.astype(int)], numbers=True)
    axes[0, 0].set_title(f"one-hot: {one_hot.shape[1]:,} numbers, {SHOWN} of them drawn")
    _draw_vectors(axes[0, 1], dense[:2, :SHOWN], numbers=False)
    axes[0, 1].set_title(f"dense: {dense.shape[1]} numbers, the first {SHOWN} drawn")
    _draw_products(axes[1, 0], products["one_hot"], "product: all words are equally different")
    _draw_products(axes[1, 1], products["dense"], "cosine: words in similar contexts are similar")
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
