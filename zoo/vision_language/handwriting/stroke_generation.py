"""The generation of strokes as a task: the density of each next point of a drawing, and drawings.

Its model has a graph `step`, from `points` float32 [batch, time, 3], the offset from the point before
and whether the pen is lifted after it, and states to the outputs that `zoo.vision_language.handwriting.pen_mixture`
reads and the next states.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.errors import check_range
from zoo.common.core.states import initial_states, next_states
from zoo.common.core.task import Evaluation, Signature, Task
from zoo.common.data.batching import evaluation_batches
from zoo.common.runtime.row_signatures import RowOption, by_rows, initial_states_in_graph
from zoo.common.tasks.language_modelling import STEP
from zoo.vision_language.handwriting.drawings import next_points
from zoo.vision_language.handwriting.pen_mixture import point_nats
from zoo.vision_language.handwriting.pen_sampling import MAX_BIAS, MAX_POINTS, draw, noise

if TYPE_CHECKING:
    from zoo.common.core.data import Item
    from zoo.common.core.formats import Format
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

EVALUATION_BATCH = 64

# Of each row that a SavedModel is asked to draw.
OPTIONS = (
    RowOption("max_points", "int32", 1, MAX_POINTS),
    RowOption("seed", "int32"),
    RowOption("bias", "float32", 0, MAX_BIAS),
)


@dataclass(frozen=True)
class StrokeGeneration(Task):
    """The next point of a drawing, from all before it. The decoder is a `StrokeSampling`.

    rounding: float. The standard deviation of the error of recorded positions, in units of offsets. See
        `zoo.vision_language.handwriting.pen_mixture`.
    """

    verb: ClassVar[str] = "draw"

    rounding: float = 0.0

    def __post_init__(self):
        check_range("task.rounding", self.rounding, at_least=0, at_most=1)

    @property
    def metric(self) -> str:
        """The negative log-density of a point, in nats."""
        return "nats_per_point"

    # Learning

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """See `Task.loss`: the mean over a batch is the negative log-density of a point, in nats.

        Args:
            y: `targets` float32 [batch, time, 4], and `lengths` int32 [batch], how many of them count.
            outputs: of the step.
        """
        from keras import ops

        nats = sum(point_nats(outputs, y["targets"], self.rounding, ops))
        inside = ops.arange(ops.shape(nats)[1]) < y["lengths"][:, None]
        points = ops.mean(ops.cast(y["lengths"], "float32"))
        return ops.sum(ops.where(inside, nats, 0.0), axis=1) / points

    # Use

    def evaluate(self, graphs: Graphs, recipe: Recipe, examples: list[Any]) -> Evaluation:
        """See `Task.evaluate`: every point counts but the first of a drawing, which is its origin.

        There is a row for each drawing.
        """
        started = time.perf_counter()
        rows: list[dict[str, Any]] = [{}] * len(examples)
        parts = np.zeros(3)
        for indices, batch in evaluation_batches(recipe, examples, {}, EVALUATION_BATCH):
            states = initial_states(recipe.model.states, len(indices))
            outputs = graphs[STEP](points=batch["points"], **states)
            for row, (i, length) in enumerate(zip(indices, batch["lengths"], strict=True)):
                targets = next_points(batch["points"][row, :length])
                of_row = {name: value[row, : length - 1] for name, value in outputs.items()}
                nats = np.array([n.sum(dtype=np.float64) for n in self._nats(of_row, targets)])
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
            f"in units of {recipe.data.scale:g}"
        ]
        metrics = {self.metric: float(parts.sum() / points)}
        return Evaluation(metrics, len(examples), time.perf_counter() - started, report, rows)

    def _nats(self, outputs: dict[str, np.ndarray], targets: np.ndarray) -> tuple:
        return point_nats(outputs, targets, self.rounding, np)

    def draw(self, graphs: Graphs, recipe: Recipe, item: Item) -> list[np.ndarray]:
        """Return as many drawings as the decoder says, points float64 [points, 3], pens lifted at 1.

        Args:
            item: as of `zoo.vision_language.handwriting.drawings.Drawings.read_input`.
        """
        decoder, specs, points = recipe.decoder, recipe.model.states, item["points"]
        states = initial_states(specs, 1)
        if len(points) > 1:
            states = next_states(specs, graphs[STEP](points=points[np.newaxis, :-1], **states))
        uniforms, normals = noise(decoder)
        drawn = draw(
            graphs[STEP],
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
            recipe.data.join(item["begin"], row[:length])
            for row, length in zip(drawn.points, drawn.lengths, strict=True)
        ]

    def answer(self, graphs: Graphs, recipe: Recipe, item: Item) -> dict[str, Any]:
        """See `Task.answer`: `drawings`, each a list of strokes [[x, y], ...]."""
        from zoo.vision_language.handwriting.ink import split_strokes

        drawings = [split_strokes(points) for points in self.draw(graphs, recipe, item)]
        sizes = [f"{len(d)} strokes of {sum(map(len, d))} points" for d in drawings]
        rounded = [[stroke.round(2).tolist() for stroke in drawing] for drawing in drawings]
        return {"output": "\n".join(sizes), "drawings": rounded}

    def formats(self, recipe: Recipe) -> dict[str, Format]:
        """See `Task.formats`: the drawings as SVG."""
        from zoo.vision_language.handwriting.drawing_pictures import SVG

        return {"svg": SVG}

    # Delivery

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Task.facts`: also the deviation that every component of the density is blurred by."""
        return super().facts(recipe) | {"rounding": self.rounding}

    def signatures(self, model: Any, recipe: Recipe) -> dict[str, Signature]:
        """See `Task.signatures`.

        `serving_default`: `max_points` int32 [batch], `seed` int32 [batch] and `bias` float32 [batch] to
        `points` float32 [batch, points, 3], x and y in units of the data's `scale`, and 1 where the pen
        is lifted after the point, 0 behind a row's end; and `lengths` int32 [batch]. Each drawing begins
        at (0, 0), which is not among its points. It does not depend on the other rows.
        """
        import tensorflow as tf

        def draw_one(max_points, seed, bias):
            return _draw_in_graph(model, recipe, max_points, seed, bias)

        draw_all = by_rows(
            draw_one, OPTIONS, tf.RaggedTensorSpec([None, 3], tf.float32, ragged_rank=0)
        )

        def new_drawings(*columns):
            drawings = draw_all(*columns)
            lengths = tf.cast(drawings.row_lengths(), tf.int32)
            return {"points": drawings.to_tensor(), "lengths": lengths}

        return {"serving_default": Signature(new_drawings, [option.spec for option in OPTIONS])}


def _draw_in_graph(model: Any, recipe: Recipe, max_points: Any, seed: Any, bias: Any) -> Any:
    """A row of `serving_default`, float32 [points, 3]: see `StrokeGeneration.signatures`."""
    import tensorflow as tf
    from keras import ops

    specs = recipe.model.states
    drawn = draw(
        lambda **inputs: model(inputs, training=False),
        specs,
        tf.zeros((1, 3)),
        initial_states_in_graph(specs, 1),
        tf.random.stateless_uniform([1, max_points, 3], [seed, 0]),
        tf.random.stateless_normal([1, max_points, 2], [seed, 1]),
        recipe.task.rounding,
        bias,
        ops,
    )
    points = drawn.points[0, : drawn.lengths[0]]
    return tf.concat([tf.cumsum(points[:, :2]), points[:, 2:]], axis=1)
