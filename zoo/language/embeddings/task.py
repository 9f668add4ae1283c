"""Word embedding as a task: vectors learnt by telling the word of a text from words drawn at random.

Its data is a `WordPlaces`; its model has the graphs `score`, from `context` and `candidates` to `scores`
float32 [batch, candidates], and `embed`, from `tokens` int32 [batch, time] to `vectors` float32 [batch,
time, size].
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.decoder import Decoder, option, resource
from zoo.common.core.errors import check_range
from zoo.common.core.task import Evaluation, Task
from zoo.common.utils.progress import progress
from zoo.language.embeddings.data import EMBED, SCORE, UNKNOWN_INDEX
from zoo.language.embeddings.similarity import (
    QUESTIONS,
    WORDSIM,
    agreement,
    agreements,
    answer_questions,
    read_pairs,
    read_questions,
)
from zoo.language.embeddings.word_vectors import WordVectors

if TYPE_CHECKING:
    from zoo.common.core.data import Item
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

# Places that are scored at a time.
PLACES = 4096
# Neighbours that a SavedModel gives.
SERVED = 10


@dataclass(frozen=True)
class Neighbours(Decoder):
    """The words nearest to a word."""

    n_best: int = option(10, "how many words are given, the nearest first")
    word_lists: Path | None = resource(
        f"a folder of more lists of word pairs, EN-*.txt, and of {QUESTIONS}, to measure on"
    )

    def __post_init__(self):
        check_range("n_best", self.n_best, at_least=1, at_most=100_000)


@dataclass(frozen=True)
class WordEmbedding(Task):
    """The word of the text must score higher than words drawn at random. The decoder is `Neighbours`.

    A subclass says by which loss it is learnt.
    """

    verb: ClassVar[str] = "embed"
    packages: ClassVar[tuple[str, ...]] = ("scipy",)

    @property
    def metric(self) -> str:
        """The share of places of a text where its word scores above the drawn one."""
        return "accuracy"

    @abstractmethod
    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """See `Task.loss`. The word of the text is the first candidate."""

    # Use

    def evaluate(self, graphs: Graphs, recipe: Recipe, examples: list[Any]) -> Evaluation:
        """See `Task.evaluate`.

        `accuracy`: each place of a text has one drawn word; equal scores are wrong. `spearman_ws353`:
        the agreement of cosines with WordSim-353, whatever the examples are, where two of its pairs are
        known; it steers nothing. The
        report has more lists where the decoder's `word_lists` is given, and what the counts of the words
        alone would reach: the more frequent one is taken for that of the text.
        """
        started = time.perf_counter()
        counts = np.array(recipe.data.vocabulary.counts)
        rows: list[dict[str, Any]] = []
        by_counts: list[np.ndarray] = []
        for example in examples:
            item = recipe.data.read_example(example, recipe)
            word, drawn = counts[item["candidates"]].T
            by_counts.append((word > drawn) + 0.5 * (word == drawn))
            rows += _rows(graphs, recipe, example.id, item)
        accuracy = sum(row["score"] > row["drawn_score"] for row in rows) / max(1, len(rows))
        by_counts_alone = float(np.concatenate(by_counts).mean())
        report = [f"by the counts of the words alone: accuracy {by_counts_alone:.4f}"]
        vectors = word_vectors(graphs, recipe)
        find, folder = recipe.data.find, recipe.decoder.word_lists
        wordsim = agreement(vectors, find, WORDSIM.stem, read_pairs(WORDSIM))
        lists = agreements(vectors, find, folder) if folder else [wordsim]
        report += [each.text for each in lists]
        if folder and (folder / QUESTIONS).exists():
            answered = answer_questions(vectors, find, read_questions(folder / QUESTIONS))
            report += map(question_text, answered)
        metrics = {"accuracy": accuracy}
        if wordsim.spearman is not None:
            metrics["spearman_ws353"] = wordsim.spearman
        return Evaluation(metrics, len(rows), time.perf_counter() - started, report, rows)

    def answer(self, graphs: Graphs, recipe: Recipe, item: Item) -> dict[str, Any]:
        """See `Task.answer`: the nearest words; `neighbours` has their cosines."""
        vectors = word_vectors(graphs, recipe)
        found = vectors.neighbours(item["word"], recipe.decoder.n_best)
        return {"output": " ".join(each["word"] for each in found), "neighbours": found}

    # Delivery

    def answer_in_graph(self, model: Any, recipe: Recipe) -> Any:
        """See `Task.answer_in_graph`.

        `known` bool [batch]: whether the vocabulary has the word; if not, what follows is empty or 0.
        `neighbours` string [batch, 10] and `similarities` float32 [batch, 10], their cosines; `vector`
        float32 [batch, size].
        """
        import tensorflow as tf

        words = tf.constant(recipe.data.vocabulary.tokens)
        embed = recipe.model.graphs(model)[EMBED]
        count = min(SERVED, len(recipe.data.vocabulary) - 2)

        def answer(inputs):
            tokens = inputs["tokens"]
            known = tokens != UNKNOWN_INDEX
            every = tf.range(len(recipe.data.vocabulary), dtype=tf.int32)
            table = embed({"tokens": every[tf.newaxis]}, training=False)["vectors"][0]
            cosines = tf.matmul(
                tf.math.l2_normalize(tf.gather(table, tokens), axis=1),
                tf.math.l2_normalize(table, axis=1),
                transpose_b=True,
            )
            itself = (every == tokens[:, tf.newaxis]) | (every == UNKNOWN_INDEX)
            best = tf.math.top_k(tf.where(itself, -2.0, cosines), count)
            row = known[:, tf.newaxis]
            return {
                "known": known,
                "neighbours": tf.where(row, tf.gather(words, best.indices), ""),
                "similarities": tf.where(row, best.values, 0.0),
                "vector": tf.where(row, tf.gather(table, tokens), 0.0),
            }

        return answer


@dataclass(frozen=True)
class Ranking(WordEmbedding):
    """Collobert & Weston, "A unified architecture for natural language processing" (2008), section 5.

    loss = sum over drawn words of max(0, margin - s(word) + s(drawn))

    margin: float. By how much the word of the text must score higher.
    """

    margin: float = 1.0

    def __post_init__(self):
        check_range("task.margin", self.margin, above=0, at_most=1000)

    def loss(self, y, outputs):
        """See `WordEmbedding.loss`."""
        from keras import ops

        scores = outputs["scores"]
        return ops.sum(ops.relu(self.margin - scores[:, :1] + scores[:, 1:]), axis=1)


@dataclass(frozen=True)
class NegativeSampling(WordEmbedding):
    """Mikolov et al., "Distributed representations of words and phrases" (2013), section 2.2.

    loss = -log sigmoid(s(word)) - sum over drawn words of log sigmoid(-s(drawn))
    """

    def loss(self, y, outputs):
        """See `WordEmbedding.loss`."""
        from keras import ops

        scores = outputs["scores"]
        return ops.softplus(-scores[:, 0]) + ops.sum(ops.softplus(scores[:, 1:]), axis=1)


def word_vectors(graphs: Graphs, recipe: Recipe) -> WordVectors:
    """Return the vectors of all words of a model's vocabulary but the unknown one."""
    size = len(recipe.data.vocabulary)
    tokens = np.arange(UNKNOWN_INDEX + 1, size, dtype=np.int32)[np.newaxis]
    vectors = graphs[EMBED](tokens=tokens)["vectors"][0]
    words = recipe.data.vocabulary.tokens[UNKNOWN_INDEX + 1 :]
    return WordVectors(words, np.asarray(vectors, np.float32))


def question_text(row: dict[str, Any]) -> str:
    """Return a row of `answer_questions` for a person to read."""
    share = "none" if row["accuracy"] is None else f"{row['accuracy']:.4f}"
    return (
        f"analogies, {row['section']}: accuracy {share}, {row['covered']} of {row['total']} questions "
        "known"
    )


def _rows(graphs: Graphs, recipe: Recipe, name: str, item: Item) -> Iterator[dict[str, Any]]:
    """A row of an evaluation for each place of a text."""
    tokens = recipe.data.vocabulary.tokens
    context, candidates = item["context"], item["candidates"]
    starts = range(0, len(context), PLACES)
    for start in progress(starts, "Scoring", len(starts), "part"):
        part = slice(start, start + PLACES)
        scores = graphs[SCORE](context=context[part], candidates=candidates[part])["scores"]
        for i, (around, (word, drawn), (score, drawn_score)) in enumerate(
            zip(context[part].tolist(), candidates[part].tolist(), scores.tolist(), strict=True)
        ):
            yield {
                "id": f"{name}, place {start + i}",
                "context": " ".join(tokens[index] for index in around),
                "word": tokens[word],
                "drawn": tokens[drawn],
                "score": score,
                "drawn_score": drawn_score,
            }
