"""Classification of a clip as a whole and at every frame.

The model has the outputs of `zoo.common.tasks.frames`, where `logits` are the log-probabilities of the
whole clip. `clip_outputs` returns all three.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.core.capabilities import Segment
from zoo.common.core.data import Item
from zoo.common.core.errors import check_range
from zoo.common.decoding.segments import merge_detections
from zoo.common.tasks.frames import FrameClassification, frame_probabilities

if TYPE_CHECKING:
    from keras import KerasTensor

# Minimum probability of a class, so that its logarithm is finite.
SMALLEST = 1e-9


def clip_outputs(frame_logits: KerasTensor, lengths: KerasTensor) -> dict[str, KerasTensor]:
    """Return the outputs of a model, where the answer to a clip is the mean over its frames.

    p = mean over the frames t of softmax(frame_logits[t]);  logits = log p

    as in Donahue et al., "Long-term recurrent convolutional networks" (2015), section 4.

    Args:
        frame_logits: float32 [batch, time, classes].
        lengths: int32 [batch], at least 1.
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
class FrameClasses(FrameClassification):
    """Answer with the most probable class of a clip, and of each of its frames.

    Args:
        monitor: as in `Classification`.
        background: as in `Classification`.
        frame_weight: weight of the loss of the frames, where the loss of the whole clip has the
            weight 1.
    """

    frame_weight: float = 0.2

    def __post_init__(self):
        super().__post_init__()
        check_range("task.frame_weight", self.frame_weight, at_least=0, at_most=1_000)

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """Return the cross-entropy of the clip plus the weighted mean over its frames, in nats."""
        from keras import ops

        from zoo.common.layers.masks import frame_mask

        logits, lengths = outputs["frame_logits"], outputs["frame_logit_lengths"]
        labels = ops.expand_dims(y["label"], 1) * ops.ones_like(logits[:, :, 0], "int32")
        each = ops.sparse_categorical_crossentropy(labels, logits, from_logits=True)
        inside = ops.cast(frame_mask(logits, lengths), "float32")
        frames = ops.sum(each * inside, axis=1) / ops.cast(lengths, "float32")
        return super().loss(y, outputs) + self.frame_weight * frames

    def example_metrics(
        self, outputs: dict[str, np.ndarray], references: list[str], symbols: Sequence[str]
    ) -> list[dict[str, float]]:
        """Return the fraction of correct frames, and whether the first frame is correct.

        The accuracy at the first frame shows how well single frames can be classified. A baseline has
        no answers at frames, and none of these metrics.
        """
        if "frame_logits" not in outputs:
            return super().example_metrics(outputs, references, symbols)
        answers = np.array(symbols)[outputs["frame_logits"].argmax(axis=-1)]
        lengths = outputs["frame_logit_lengths"]
        correct = [
            answer[: int(length)] == reference
            for answer, length, reference in zip(answers, lengths, references, strict=True)
        ]
        return [
            {"frame_accuracy": float(row.mean()), "first_frame_accuracy": float(row[0])}
            for row in correct
        ]

    def extra_answer(
        self, outputs: dict[str, np.ndarray], symbols: Sequence[str], item: Item
    ) -> dict[str, Any]:
        """Return `frames`, the answer over time.

        Each sequence of frames with the same answer has one entry: `begin` and `end` in seconds,
        `label`, and `confidence`, the highest probability. The answer at a frame depends on the frames
        up to it.
        """
        (rows,) = frame_probabilities(outputs)
        found = [
            (Segment(begin, end, {}), symbols[int(row.argmax())], float(row.max()))
            for begin, end, row in zip(item["times"][:-1], item["times"][1:], rows, strict=True)
        ]
        return {"frames": merge_detections(found)}
