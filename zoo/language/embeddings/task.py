"""Word embedding: vectors that separate the words of a text from words drawn at random.

The data is `ContextWindows`. The model has the graphs `score`, from `context` and `candidates` to
`scores` float32 [batch, candidates], and `embed`, from `tokens` int32 [batch, time] to `vectors` float32
[batch, time, size].
"""

from __future__ import annotations

import time
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.capabilities import RowMetrics
from zoo.common.core.data import Item
from zoo.common.core.decoder import Decoder, option, resource
from zoo.common.core.errors import check_range
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.model import ModelConfig
from zoo.common.core.predictor import Predictor
from zoo.common.core.task import Task
from zoo.common.utils.progress import progress
from zoo.language.embeddings.data import EMBED, SCORE, UNKNOWN_INDEX, ContextWindows
from zoo.language.embeddings.similarity import (
    QUESTIONS,
    WORDSIM,
    agreement,
    agreements,
    answer_questions,
    rank_correlation,
    read_pairs,
    read_questions,
)
from zoo.language.embeddings.word_vectors import WordVectors

# Number of windows that are scored at a time.
BATCH = 4096
# Number of neighbours in the answer of a SavedModel.
SERVED = 10


@dataclass(frozen=True)
class Neighbours(Decoder):
    """Select the words nearest to a word.

    Args:
        n_best: number of words in an answer, the nearest first.
        word_lists: folder of lists of word pairs for the evaluation.
    """

    n_best: int = option(10, "number of words in the answer, the nearest first")
    word_lists: Path | None = resource(
        f"folder of lists of word pairs, EN-*.txt, and of {QUESTIONS}, for the evaluation"
    )

    def __post_init__(self):
        check_range("n_best", self.n_best, at_least=1, at_most=100_000)


Embedder = Predictor[ContextWindows, ModelConfig, Neighbours]


@dataclass(frozen=True)
class WordEmbedding(Task, RowMetrics):
    """Score the word of a text above drawn words. A subclass defines the loss.

    Args:
        monitor: "accuracy", the share of windows whose word has a higher score than the drawn one.
    """

    verb: ClassVar[str] = "embed"
    packages: ClassVar[tuple[str, ...]] = ("scipy",)
    monitors: ClassVar[tuple[str, ...]] = ("accuracy",)

    monitor: str = "accuracy"

    @abstractmethod
    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """Return the loss, float32 [batch]. The word of the text is the first candidate."""

    def evaluate(self, predictor: Embedder, examples: list[Any]) -> Evaluation:
        """Return the accuracy, and the rank correlation with WordSim-353.

        `accuracy` is measured with one drawn word per window; equal scores count as wrong.
        `spearman_ws353` is the rank correlation of cosines with the scores of WordSim-353. It does not
        depend on the examples, and is left out if fewer than two pairs are in the vocabulary. The report
        has the accuracy of a baseline that selects the more frequent word, and the lists in the
        decoder's `word_lists`. There is one row per window, and one per pair of WordSim-353.
        """
        started = time.perf_counter()
        data = predictor.data
        counts = np.array(data.vocabulary.counts)
        rows: list[dict[str, Any]] = []
        by_counts: list[np.ndarray] = []
        for example in examples:
            item = data.read_example(example, predictor.model)
            word, drawn = counts[item["candidates"]].T
            by_counts.append((word > drawn) + 0.5 * (word == drawn))
            rows += _rows(predictor, example.id, item)
        accuracy = sum(row["score"] > row["drawn_score"] for row in rows) / max(1, len(rows))
        baseline = float(np.concatenate(by_counts).mean())
        report = [f"baseline, the more frequent word: accuracy {baseline:.4f}"]
        vectors = word_vectors(predictor)
        folder = predictor.decoder.word_lists
        wordsim = agreement(vectors, data.find, WORDSIM.stem, read_pairs(WORDSIM))
        lists = agreements(vectors, data.find, folder) if folder else [wordsim]
        report += [each.text for each in lists]
        if folder and (folder / QUESTIONS).exists():
            answered = answer_questions(vectors, data.find, read_questions(folder / QUESTIONS))
            report += map(question_text, answered)
        metrics = {"accuracy": accuracy}
        if wordsim.spearman is not None:
            metrics["spearman_ws353"] = wordsim.spearman
        seconds = time.perf_counter() - started
        return Evaluation(metrics, len(rows), seconds, report, [*rows, *wordsim.rows])

    def row_metrics(self, predictor: Embedder, rows: list[dict[str, Any]]) -> dict[str, float]:
        """Return the rank correlation of rows of word pairs."""
        value = rank_correlation(rows)
        return {} if value is None else {"spearman_ws353": value}

    def drawn_rows(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows of word pairs: the windows, of which there are many, have no interval."""
        return [row for row in rows if "cosine" in row]

    def answer(self, predictor: Embedder, item: Item) -> dict[str, Any]:
        """Return the nearest words; `neighbours` has their cosines."""
        found = word_vectors(predictor).neighbours(item["word"], predictor.decoder.n_best)
        return {"output": " ".join(each["word"] for each in found), "neighbours": found}

    def answer_in_graph(self, predictor: Embedder) -> Any:
        """Return the nearest words and the vector of each word.

        `known` bool [batch] states whether the word is in the vocabulary; if not, the other outputs are
        empty or 0. `neighbours` string [batch, 10] and `similarities` float32 [batch, 10] are the
        nearest words and their cosines; `vector` float32 [batch, size] is the vector.
        """
        import tensorflow as tf

        vocabulary, embed = predictor.data.vocabulary, predictor.graphs[EMBED]
        words = tf.constant(vocabulary.tokens)
        count = min(SERVED, len(vocabulary) - 2)

        def answer(inputs):
            tokens = inputs["tokens"]
            known = tokens != UNKNOWN_INDEX
            every = tf.range(len(vocabulary), dtype=tf.int32)
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
    """Train with the ranking loss.

    Collobert & Weston, "A unified architecture for natural language processing" (2008), section 5.

        loss = sum over drawn words of max(0, margin - s(word) + s(drawn))

    Args:
        monitor: see `WordEmbedding`.
        margin: difference of scores above which the loss is 0.
    """

    margin: float = 1.0

    def __post_init__(self):
        super().__post_init__()
        check_range("task.margin", self.margin, above=0, at_most=1000)

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        from keras import ops

        scores = outputs["scores"]
        return ops.sum(ops.relu(self.margin - scores[:, :1] + scores[:, 1:]), axis=1)


@dataclass(frozen=True)
class NegativeSampling(WordEmbedding):
    """Train with negative sampling.

    Mikolov et al., "Distributed representations of words and phrases" (2013), section 2.2.

        loss = -log sigmoid(s(word)) - sum over drawn words of log sigmoid(-s(drawn))

    Args:
        monitor: see `WordEmbedding`.
    """

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        from keras import ops

        scores = outputs["scores"]
        return ops.softplus(-scores[:, 0]) + ops.sum(ops.softplus(scores[:, 1:]), axis=1)


def word_vectors(predictor: Embedder) -> WordVectors:
    """Return the vectors of all words of a model's vocabulary except the unknown word."""
    vocabulary = predictor.data.vocabulary
    tokens = np.arange(UNKNOWN_INDEX + 1, len(vocabulary), dtype=np.int32)[np.newaxis]
    vectors = predictor.graphs[EMBED](tokens=tokens)["vectors"][0]
    return WordVectors(vocabulary.tokens[UNKNOWN_INDEX + 1 :], np.asarray(vectors, np.float32))


def question_text(row: dict[str, Any]) -> str:
    """Return a row of `answer_questions` as text."""
    share = "none" if row["accuracy"] is None else f"{row['accuracy']:.4f}"
    return (
        f"analogies, {row['section']}: accuracy {share}, {row['covered']} of {row['total']} questions "
        "in the vocabulary"
    )


def _rows(predictor: Embedder, name: str, item: Item) -> Iterator[dict[str, Any]]:
    """Yield a row of an evaluation for each window of a text."""
    tokens, graph = predictor.data.vocabulary.tokens, predictor.graphs[SCORE]
    context, candidates = item["context"], item["candidates"]
    starts = range(0, len(context), BATCH)
    for start in progress(starts, "Scoring", len(starts), "part"):
        part = slice(start, start + BATCH)
        scores = graph(context=context[part], candidates=candidates[part])["scores"]
        for i, (around, (word, drawn), (score, drawn_score)) in enumerate(
            zip(context[part].tolist(), candidates[part].tolist(), scores.tolist(), strict=True)
        ):
            yield {
                "id": f"{name}, window {start + i}",
                "context": " ".join(tokens[index] for index in around),
                "word": tokens[word],
                "drawn": tokens[drawn],
                "score": score,
                "drawn_score": drawn_score,
            }
