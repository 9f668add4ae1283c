"""Tagging as a task: one class for each step of a sequence, many to many in step.

Its data has `labels` of the unit "class" (`zoo.common.data.labels.Labels`), its examples `id` and
`tags`, the name of the class of each step; its model has the outputs `logits` float32 [batch, time,
classes] and `logit_lengths` int32 [batch], at least 1.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.task import Evaluation
from zoo.common.data.batching import evaluation_batches
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.classification import (
    UNREADABLE,
    class_metrics,
    class_probabilities,
    recalls,
)
from zoo.common.tasks.steered import SteeredTask

if TYPE_CHECKING:
    from zoo.common.core.data import Item
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

METRICS = ("accuracy", "f1_macro")


@dataclass(frozen=True)
class Tagging(SteeredTask):
    """The likeliest class of each step. There is no decoder.

    steer_by: str. The metric that steers a run, over all steps of all sequences: "accuracy", or
        "f1_macro", as of `zoo.common.tasks.classification.Classification`.
    """

    verb: ClassVar[str] = "tag"

    steering_metrics: ClassVar[tuple[str, ...]] = METRICS

    steer_by: str = "accuracy"

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """See `Task.loss`: the mean cross-entropy of a row's steps, in nats.

        `labels` of `y` are int32 [batch, time]; what stands behind a row's length has no effect.
        """
        from keras import ops

        logits = ops.cast(outputs["logits"], "float32")
        losses = ops.sparse_categorical_crossentropy(y["labels"], logits, from_logits=True)
        lengths = ops.expand_dims(outputs["logit_lengths"], -1)
        inside = ops.arange(ops.shape(losses)[1], dtype="int32") < ops.cast(lengths, "int32")
        sums = ops.sum(ops.where(inside, losses, 0.0), axis=1)
        return sums / ops.cast(lengths[:, 0], "float32")

    def text(self, tags: Sequence[str]) -> str:
        """Return the tags of a sequence for a person to read."""
        return " ".join(tags)

    def evaluate(self, graphs: Graphs, recipe: Recipe, examples: list[Any]) -> Evaluation:
        """See `Task.evaluate`: every step counts the same. There is a row for each sequence.

        Of an example that cannot be read, every step is counted as wrong.
        """
        started, errors = time.perf_counter(), {}
        answers = [(UNREADABLE,) * len(example.tags) for example in examples]
        for i, tags, _ in self._tags(graphs, recipe, examples, errors):
            answers[i] = tags
        steps = [
            pair
            for example, tags in zip(examples, answers, strict=True)
            for pair in zip(example.tags, tags, strict=True)
        ]
        values = class_metrics(steps)
        metrics = {name: values[name] for name in sorted(values, key=lambda n: n != self.metric)}
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
        report += [f"Not readable, counted as wrong: {error}" for error in errors.values()]
        return Evaluation(metrics, len(examples), time.perf_counter() - started, report, rows)

    def answer(self, graphs: Graphs, recipe: Recipe, item: Item) -> dict[str, Any]:
        """See `Task.answer`: `output` is `text` of the tags; `tags` lists each with its probability."""
        outputs = graphs[MODEL](**recipe.data.collate([item]))
        ((tags, sure),) = _read(outputs, recipe.data.labels.symbols)
        steps = [{"tag": tag, "probability": p} for tag, p in zip(tags, sure, strict=True)]
        return {"output": self.text(tags), "tags": steps}

    def answer_in_graph(self, model: Any, recipe: Recipe) -> Any:
        """See `Task.answer_in_graph`: `tags` string [batch, time], "" behind a row's length, and
        `probabilities` float32 [batch, time] of them, 0 there."""
        import tensorflow as tf

        symbols = tf.constant(recipe.data.labels.symbols)

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
        self, graphs: Graphs, recipe: Recipe, examples: list[Any], errors: dict[int, str]
    ) -> Iterator[tuple[int, tuple[str, ...], list[float]]]:
        """Yield (index, tags, their probabilities) of each example that can be read."""
        for indices, inputs in evaluation_batches(recipe, examples, errors):
            read = _read(graphs[MODEL](**inputs), recipe.data.labels.symbols)
            for i, (tags, sure) in zip(indices, read, strict=True):
                yield i, tags, sure


def _read(
    outputs: dict[str, np.ndarray], symbols: Sequence[str]
) -> Iterator[tuple[tuple[str, ...], list[float]]]:
    """Yield the tags of each row, up to its length, and their probabilities."""
    for row, length in zip(class_probabilities(outputs), outputs["logit_lengths"], strict=True):
        row = row[:length]
        yield tuple(symbols[i] for i in row.argmax(axis=-1)), row.max(axis=-1).tolist()
