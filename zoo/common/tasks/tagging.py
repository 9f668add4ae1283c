"""Tagging: one class per step of a sequence."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.capabilities import RowMetrics
from zoo.common.core.data import Item
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.model import ModelConfig
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import renamed
from zoo.common.core.task import Task
from zoo.common.data.batching import evaluation_batches
from zoo.common.data.labels import LabelledData
from zoo.common.data.text import normalize
from zoo.common.metrics.outside import warn_about_outside
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.classification import (
    UNREADABLE,
    class_metrics,
    class_probabilities,
    recalls,
)

Tagger = Predictor[LabelledData, ModelConfig, None]


@dataclass(frozen=True)
class Tagging(Task, RowMetrics):
    """Answer with the most probable class of each step. There is no decoder.

    The labels of the data have the unit "class". Examples have the attributes `id` and `tags`, the class
    of each step. The model has the outputs `logits` float32 [batch, time, classes] and `logit_lengths`
    int32 [batch], at least 1.

    Args:
        monitor: a metric over all steps of all sequences: "accuracy", or "f1_macro" as in
            `zoo.common.tasks.classification.Classification`.
    """

    verb: ClassVar[str] = "tag"
    monitors: ClassVar[tuple[str, ...]] = ("accuracy", "f1_macro")

    monitor: str = renamed("accuracy", formerly="steer_by")

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """Return the mean cross-entropy of the steps of a row, in nats.

        Args:
            y: `labels` int32 [batch, time]; steps after the end of a row are ignored.
            outputs: outputs of the model.
        """
        from keras import ops

        logits = ops.cast(outputs["logits"], "float32")
        losses = ops.sparse_categorical_crossentropy(y["labels"], logits, from_logits=True)
        lengths = ops.expand_dims(outputs["logit_lengths"], -1)
        inside = ops.arange(ops.shape(losses)[1], dtype="int32") < ops.cast(lengths, "int32")
        sums = ops.sum(ops.where(inside, losses, 0.0), axis=1)
        return sums / ops.cast(lengths[:, 0], "float32")

    def text(self, tags: Sequence[str]) -> str:
        """Return the tags of a sequence as text."""
        return " ".join(tags)

    def evaluate(self, predictor: Tagger, examples: list[Any]) -> Evaluation:
        """Return metrics over all steps, with equal weights. There is one row per sequence.

        All steps of an unreadable example count as wrong.
        """
        started = time.perf_counter()
        errors: dict[int, str] = {}
        references = [normalize(name) for example in examples for name in example.tags]
        warn_about_outside(predictor.data.labels, references)
        answers = [(UNREADABLE,) * len(example.tags) for example in examples]
        for i, tags, _ in self._tags(predictor, examples, errors):
            answers[i] = tags
        steps = [
            pair
            for example, tags in zip(examples, answers, strict=True)
            for pair in zip(example.tags, tags, strict=True)
        ]
        values = class_metrics(steps)
        metrics = {name: values[name] for name in sorted(values, key=lambda n: n != self.monitor)}
        rows = [
            {
                "id": example.id,
                "reference": self.text(example.tags),
                "output": self.text(tags).strip(),
                "steps": len(tags),
                "correct": sum(a == b for a, b in zip(example.tags, tags, strict=True)),
            }
            for example, tags in zip(examples, answers, strict=True)
        ]
        report = [f"{name}: {share:.4f} of {count}" for name, share, count in recalls(steps)]
        report += [f"Unreadable, counted as wrong: {error}" for error in errors.values()]
        return Evaluation(metrics, len(examples), time.perf_counter() - started, report, rows)

    def row_metrics(self, predictor: Tagger, rows: list[dict[str, Any]]) -> dict[str, float]:
        """Return the accuracy over the steps of these rows."""
        correct, steps = (sum(row[name] for row in rows) for name in ("correct", "steps"))
        return {"accuracy": correct / steps}

    def answer(self, predictor: Tagger, item: Item) -> dict[str, Any]:
        """Return the `text` of the tags, and `tags`, each tag with its probability."""
        outputs = predictor.graphs[MODEL](**predictor.data.collate([item]))
        ((tags, sure),) = _read(outputs, predictor.data.labels.symbols)
        steps = [{"tag": tag, "probability": p} for tag, p in zip(tags, sure, strict=True)]
        return {"output": self.text(tags), "tags": steps}

    def answer_in_graph(self, predictor: Tagger) -> Any:
        """Return `tags` string [batch, time] and `probabilities` float32 [batch, time].

        After the end of a row, tags are "" and probabilities 0.
        """
        import tensorflow as tf

        symbols = tf.constant(predictor.data.labels.symbols)
        model = predictor.graphs[MODEL]

        def answer(inputs):
            outputs = model(inputs, training=False)
            rows = tf.nn.softmax(outputs["logits"])
            inside = tf.sequence_mask(outputs["logit_lengths"], tf.shape(rows)[1])
            return {
                "tags": tf.where(inside, tf.gather(symbols, tf.argmax(rows, axis=-1)), ""),
                "probabilities": tf.where(inside, tf.reduce_max(rows, axis=-1), 0.0),
            }

        return answer

    def _tags(
        self, predictor: Tagger, examples: list[Any], errors: dict[int, str]
    ) -> Iterator[tuple[int, tuple[str, ...], list[float]]]:
        """Yield (index, tags, probabilities) of each readable example."""
        for indices, inputs in evaluation_batches(
            predictor.data, predictor.model, examples, errors
        ):
            read = _read(predictor.graphs[MODEL](**inputs), predictor.data.labels.symbols)
            for i, (tags, sure) in zip(indices, read, strict=True):
                yield i, tags, sure


def _read(
    outputs: dict[str, np.ndarray], symbols: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], list[float]]]:
    """Yield the tags of each row without padding, and their probabilities."""
    for row, length in zip(class_probabilities(outputs), outputs["logit_lengths"], strict=True):
        row = row[:length]
        yield tuple(symbols[i] for i in row.argmax(axis=-1)), row.max(axis=-1).tolist()
