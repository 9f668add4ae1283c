"""Detection of events: classification of windows, and of the frames of models that have them."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.common.core.capabilities import Segment
from zoo.common.core.errors import check_range
from zoo.common.core.evaluation import Evaluation
from zoo.common.data.batching import evaluation_batches
from zoo.common.decoding.segments import batches
from zoo.common.metrics.thresholds import Operation, operations
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.classification import Classifier
from zoo.common.tasks.frames import FRAME_LOGITS, FrameClassification, frame_probabilities
from zoo.speech.detection.frames import FRAMES, joined, smoothed


@dataclass(frozen=True)
class Detection(FrameClassification):
    """Answer with the class of a clip, and with the events in a long recording.

    The config of the model has `frame_outputs`. If it is True, the model has the outputs of
    `zoo.common.tasks.frames`, and the begins and ends of events are those of frames: the scores of
    windows that overlap are averaged, consecutive frames with a detected class are an event, and its
    class is the one with the highest mean over them. Otherwise they are those of windows.

    Args:
        monitor: as in `Classification`.
        background: as in `Classification`.
        min_duration: events of at most this many seconds, and pauses of at most this many seconds inside
            an event, are removed by a median filter over frames. It is rounded down to whole frames.
    """

    min_duration: float = 0.1

    def __post_init__(self):
        super().__post_init__()
        check_range("task.min_duration", self.min_duration, at_least=0, at_most=10)

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """Return the cross-entropy of the clip, plus the mean over its frames with targets, in nats."""
        from keras import ops

        loss = super().loss(y, outputs)
        if FRAME_LOGITS not in outputs:
            return loss
        log_probs = ops.log_softmax(ops.cast(outputs[FRAME_LOGITS], "float32"), axis=-1)
        nats = -ops.sum(y[FRAMES] * log_probs, axis=(1, 2))
        return loss + nats / ops.maximum(ops.sum(y[FRAMES], axis=(1, 2)), 1.0)

    def detect_segments(
        self, predictor: Classifier, segments: Iterable[Segment]
    ) -> Iterator[tuple[Segment, str, dict[str, float]]]:
        """Yield as `Classification` for each frame instead of each segment if the model has frames."""
        model: Any = predictor.model
        if not model.frame_outputs:
            yield from super().detect_segments(predictor, segments)
            return
        data: Any = predictor.data
        times, end, parts = data.frame_times(model), 0.0, []
        for batch, inputs in batches(data, segments):
            rows = frame_probabilities(predictor.graphs[MODEL](**inputs))
            for segment, row in zip(batch, rows, strict=True):
                parts.append((times.nearest(segment.begin), row.astype(np.float32)))
                end = segment.end
        if not parts:
            return
        symbols, threshold = data.labels.symbols, predictor.decoder.min_confidence
        scores = joined(parts)
        has_window = ~np.isnan(scores[:, 0])
        scores = smoothed(np.nan_to_num(scores), int(self.min_duration / times.seconds + 1e-6))
        borders = np.clip(times.borders(0, len(scores)), 0, end).tolist()
        answers = [dict(zip(symbols, row, strict=True)) for row in scores.tolist()]
        found = [
            bool(known and self.detect(answer, threshold))
            for known, answer in zip(has_window, answers, strict=True)
        ]
        events = np.where([name == self.background for name in symbols], -1, scores)
        for is_event, group in itertools.groupby(range(len(answers)), found.__getitem__):
            frames = list(group)
            label = symbols[int(events[frames].mean(axis=0).argmax())] if is_event else ""
            for i in frames:
                if has_window[i]:
                    yield Segment(borders[i], borders[i + 1], {}), label, answers[i]

    def threshold_operations(
        self, predictor: Classifier, evaluation: Evaluation, examples: list[Any]
    ) -> list[Operation]:
        """Return the operations over frames whose class is known if the model has frames."""
        data: Any = predictor.data
        model: Any = predictor.model
        if not model.frame_outputs:
            return super().threshold_operations(predictor, evaluation, examples)
        tables, references = [], []
        for indices, inputs in evaluation_batches(data, model, examples, {}):
            rows = frame_probabilities(predictor.graphs[MODEL](**inputs))
            for i, row in zip(indices, rows, strict=True):
                targets = data.frame_targets(examples[i], len(row), model)
                known = targets.max(axis=1) > 0.5
                tables.append(row[known])
                references += data.labels.decode(targets[known].argmax(axis=1))
        return operations(references, np.concatenate(tables), data.labels.symbols, self.background)
