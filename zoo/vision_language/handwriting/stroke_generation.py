"""Generation of strokes: the density of the next point of a drawing, and sampled drawings.

The model has a graph `step`. It maps `points` float32 [batch, time, 3], the offset from the previous
point and pen_up, which is 1 at the end of a stroke, and the states to the outputs described in
`zoo.vision_language.handwriting.pen_mixture` and the next states.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.capabilities import RowMetrics
from zoo.common.core.data import Item
from zoo.common.core.errors import check_range
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.model import ModelConfig
from zoo.common.core.predictor import Predictor
from zoo.common.core.states import STEP, initial_states, next_states
from zoo.common.core.task import Signature, Task
from zoo.common.data.batching import evaluation_batches
from zoo.common.runtime.row_signatures import RowOption, by_rows, initial_states_in_graph
from zoo.vision_language.handwriting.drawings import Drawings
from zoo.vision_language.handwriting.ink import split_strokes
from zoo.vision_language.handwriting.pen_mixture import next_points, point_nats
from zoo.vision_language.handwriting.pen_sampling import (
    MAX_BIAS,
    MAX_POINTS,
    StrokeSampling,
    draw,
    noise,
)

EVALUATION_BATCH = 64

# Options of each row of a request.
OPTIONS = (
    RowOption("max_points", "int32", 1, MAX_POINTS),
    RowOption("seed", "int32"),
    RowOption("bias", "float32", 0, MAX_BIAS),
)

StrokeModel = Predictor[Drawings, ModelConfig, StrokeSampling]


@dataclass(frozen=True)
class StrokeGeneration(Task, RowMetrics):
    """Predict the next point of a drawing from all points before it.

    Args:
        monitor: "nats_per_point", the negative log-density of a point.
        rounding: standard deviation of the rounding error of recorded positions, in units of offsets.
            See `zoo.vision_language.handwriting.pen_mixture`.
    """

    verb: ClassVar[str] = "draw"
    monitors: ClassVar[tuple[str, ...]] = ("nats_per_point",)

    monitor: str = "nats_per_point"
    rounding: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        check_range("task.rounding", self.rounding, at_least=0, at_most=1)

    # Training

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """Return a loss whose mean over the batch is the negative log-density of a point, in nats.

        Args:
            y: `targets` float32 [batch, time, 4], and `lengths` int32 [batch], the number of targets
                before padding.
            outputs: outputs of the graph `step`.
        """
        from keras import ops

        nats = sum(point_nats(outputs, y["targets"], self.rounding, ops))
        inside = ops.arange(ops.shape(nats)[1]) < y["lengths"][:, None]
        points = ops.mean(ops.cast(y["lengths"], "float32"))
        return ops.sum(ops.where(inside, nats, 0.0), axis=1) / points

    # Use

    def evaluate(self, predictor: StrokeModel, examples: list[Any]) -> Evaluation:
        """Return the negative log-density of a point, over all points except the first of each drawing.

        There is one row per drawing.
        """
        started = time.perf_counter()
        rows: list[dict[str, Any]] = [{}] * len(examples)
        parts = np.zeros(3)
        for indices, batch in evaluation_batches(
            predictor.data, predictor.model, examples, {}, EVALUATION_BATCH
        ):
            states = initial_states(predictor.model.states, len(indices))
            outputs = predictor.graphs[STEP](points=batch["points"], **states)
            for row, (i, length) in enumerate(zip(indices, batch["lengths"], strict=True)):
                targets = next_points(batch["points"][row, :length])
                of_row = {name: value[row, : length - 1] for name, value in outputs.items()}
                point_parts = point_nats(of_row, targets, self.rounding, np)
                nats = np.array([part.sum(dtype=np.float64) for part in point_parts])
                parts += nats
                count = int(length) - 1
                rows[i] = {
                    "id": examples[i].id,
                    "points": count,
                    "nats_per_point": float(nats.sum() / count),
                }
        points = sum(row["points"] for row in rows)
        offset, pen, end = parts / points
        report = [
            f"{points} points: offsets {offset:.4f}, pen {pen:.4f}, end {end:.4f} nats each, "
            f"in units of {predictor.data.scale:g}"
        ]
        metrics = {self.monitor: float(parts.sum() / points)}
        return Evaluation(metrics, len(examples), time.perf_counter() - started, report, rows)

    def row_metrics(self, predictor: StrokeModel, rows: list[dict[str, Any]]) -> dict[str, float]:
        """Return the negative log-density of a point of these drawings."""
        points = sum(row["points"] for row in rows)
        nats = sum(row["nats_per_point"] * row["points"] for row in rows)
        return {self.monitor: nats / points}

    def draw(self, predictor: StrokeModel, item: Item) -> list[np.ndarray]:
        """Return `count` drawings, each float64 [points, 3] of x, y and pen_up.

        Args:
            predictor: the trained model, and the decoder with its options.
            item: result of `zoo.vision_language.handwriting.drawings.Drawings.read_input`.
        """
        decoder, specs, points = predictor.decoder, predictor.model.states, item["points"]
        step, states = predictor.graphs[STEP], initial_states(specs, 1)
        if len(points) > 1:
            states = next_states(specs, step(points=points[np.newaxis, :-1], **states))
        uniforms, normals = noise(decoder)
        drawn = draw(
            step,
            specs,
            np.repeat(points[-1:], decoder.count, axis=0),
            {name: np.repeat(state, decoder.count, axis=0) for name, state in states.items()},
            uniforms,
            normals,
            self.rounding,
            decoder.bias,
            np,
        )
        return [
            predictor.data.join(item["begin"], row[:length])
            for row, length in zip(drawn.points, drawn.lengths, strict=True)
        ]

    def answer(self, predictor: StrokeModel, item: Item) -> dict[str, Any]:
        """Return `drawings`, each a list of strokes [[x, y], ...]."""
        drawings = [split_strokes(points) for points in self.draw(predictor, item)]
        sizes = [f"{len(d)} strokes of {sum(map(len, d))} points" for d in drawings]
        rounded = [[stroke.round(2).tolist() for stroke in drawing] for drawing in drawings]
        return {"output": "\n".join(sizes), "drawings": rounded}

    # Export

    def export_metadata(self, predictor: StrokeModel) -> dict[str, Any]:
        """Return the metadata of the data, and `rounding`."""
        return super().export_metadata(predictor) | {"rounding": self.rounding}

    def signatures(self, predictor: StrokeModel) -> dict[str, Signature]:
        """Return `serving_default`, which makes new drawings.

        It maps `max_points` int32 [batch], `seed` int32 [batch] and `bias` float32 [batch] to `points`
        float32 [batch, points, 3] and `lengths` int32 [batch]. Points are x and y in units of `scale`
        of the data, and pen_up; they are 0 after the end of a row. Each drawing begins at (0, 0), which
        is not one of its points. A row does not depend on the others.
        """
        import tensorflow as tf

        def draw_one(max_points, seed, bias):
            return _draw_in_graph(predictor, self.rounding, max_points, seed, bias)

        draw_all = by_rows(
            draw_one, OPTIONS, tf.RaggedTensorSpec([None, 3], tf.float32, ragged_rank=0)
        )

        def new_drawings(*columns):
            drawings = draw_all(*columns)
            lengths = tf.cast(drawings.row_lengths(), tf.int32)
            return {"points": drawings.to_tensor(), "lengths": lengths}

        return {"serving_default": Signature(new_drawings, [option.spec for option in OPTIONS])}


def _draw_in_graph(
    predictor: StrokeModel, rounding: float, max_points: Any, seed: Any, bias: Any
) -> Any:
    """Return a row of `StrokeGeneration.signatures`, float32 [points, 3]."""
    import tensorflow as tf
    from keras import ops

    specs, model = predictor.model.states, predictor.graphs[STEP]
    drawn = draw(
        lambda **inputs: model(inputs, training=False),
        specs,
        tf.zeros((1, 3)),
        initial_states_in_graph(specs, 1),
        tf.random.stateless_uniform([1, max_points, 3], [seed, 0]),
        tf.random.stateless_normal([1, max_points, 2], [seed, 1]),
        rounding,
        bias,
        ops,
    )
    points = drawn.points[0, : drawn.lengths[0]]
    return tf.concat([tf.cumsum(points[:, :2]), points[:, 2:]], axis=1)
