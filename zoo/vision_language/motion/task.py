"""The task of an answer at every frame of a clip, and one for the whole.

A model has the outputs
    `frame_logits` float32 [batch, time, classes], the logits at each frame,
    `frame_logit_lengths` int32 [batch], the frames of each clip,
    `logits` float32 [batch, classes], the log-probabilities of the whole.
`frame_answers` gives all three.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.core.data import Segment
from zoo.common.core.errors import check_range
from zoo.common.decoding.generation import log_softmax
from zoo.common.decoding.segments import merge_detections
from zoo.common.tasks.classification import Classification

if TYPE_CHECKING:
    from keras import KerasTensor

    from zoo.common.core.data import Item
    from zoo.common.core.recipe import Recipe

SMALLEST = 1e-9


def frame_answers(frame_logits: KerasTensor, lengths: KerasTensor) -> dict[str, KerasTensor]:
    """Return the outputs of a model, of which the whole's is the mean of those of its frames.

    p = mean over the frames t of softmax(frame_logits[t]);  logits = log p

    as in Donahue et al., "Long-term recurrent convolutional networks" (2015), section 4.

    Args:
        frame_logits: float32 [batch, time, classes]. lengths: int32 [batch], at least 1.
    """
    from keras import layers, ops

    from zoo.common.layers.masks import frame_mask

    inside = ops.cast(ops.expand_dims(frame_mask(frame_logits, lengths), -1), "float32")
    total = ops.sum(ops.softmax(frame_logits, axis=-1) * inside, axis=1)
    mean = total / ops.cast(ops.expand_dims(lengths, -1), "float32")
    logits = ops.log(ops.maximum(mean, SMALLEST))
    return {
        "logits": layers.Identity(dtype="float32", name="logits")(logits),
        "frame_logits": frame_logits,
        "frame_logit_lengths": layers.Identity(name="frame_logit_lengths")(lengths),
    }


@dataclass(frozen=True)
class FrameClasses(Classification):
    """A class for a clip, and one at every frame: many answers to many inputs, in step.

    frame_weight: float. What the loss of the frames counts beside that of the whole.
    """

    frame_weight: float = 0.2

    def __post_init__(self):
        super().__post_init__()
        check_range("task.frame_weight", self.frame_weight, at_least=0, at_most=1_000)

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """See `Task.loss`: cross-entropy of the whole, and its mean over the frames, in nats."""
        from keras import ops

        from zoo.common.layers.masks import frame_mask

        logits, lengths = outputs["frame_logits"], outputs["frame_logit_lengths"]
        labels = ops.expand_dims(y["label"], 1) * ops.ones_like(logits[:, :, 0], "int32")
        each = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        inside = ops.cast(frame_mask(logits, lengths), "float32")
        frames = ops.sum(each * inside, axis=1) / ops.cast(lengths, "float32")
        return super().loss(y, outputs) + self.frame_weight * frames

    def batch_figures(
        self, outputs: dict[str, np.ndarray], references: list[str], recipe: Recipe
    ) -> list[dict[str, float]]:
        """See `Classification.batch_figures`: the share of its frames that are answered right, and
        whether the first one is, which tells what a single frame is worth."""
        answers = np.array(recipe.data.labels.symbols)[outputs["frame_logits"].argmax(axis=-1)]
        lengths = outputs["frame_logit_lengths"]
        rights = [
            row[:length] == reference
            for row, length, reference in zip(answers, lengths, references, strict=True)
        ]
        return [
            {"frame_accuracy": float(right.mean()), "first_frame_accuracy": float(right[0])}
            for right in rights
        ]

    def more_of_answer(
        self, outputs: dict[str, np.ndarray], recipe: Recipe, item: Item
    ) -> dict[str, Any]:
        """See `Classification.more_of_answer`: `frames`, the answer over time.

        For each run of frames with one answer: `begin` and `end` in seconds, `label` and `confidence`,
        the highest probability. The answer at a frame is made of what is up to it.
        """
        probabilities = frame_probabilities(outputs)
        symbols, times = recipe.data.labels.symbols, item["times"]
        found = [
            (Segment(begin, end, {}), symbols[int(row.argmax())], float(row.max()))
            for begin, end, row in zip(times[:-1], times[1:], probabilities, strict=True)
        ]
        return {"frames": merge_detections(found)}

    def answer_in_graph(self, model: Any, recipe: Recipe) -> Callable:
        """See `Classification.answer_in_graph`; also `frame_probabilities` float32 [batch, time,
        classes], which say nothing beyond a clip's length."""
        import tensorflow as tf

        whole = super().answer_in_graph

        def answer(inputs):
            outputs = model(inputs, training=False)
            frames = tf.nn.softmax(outputs["frame_logits"])
            answered = whole(lambda *_, **__: outputs, recipe)(inputs)
            return answered | {"frame_probabilities": frames}

        return answer


def frame_probabilities(outputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return the probabilities at each frame of the first clip of a batch, float64 [time, classes]."""
    logits = outputs["frame_logits"][0, : int(outputs["frame_logit_lengths"][0])]
    return np.exp(log_softmax(np.asarray(logits, np.float64), np))
