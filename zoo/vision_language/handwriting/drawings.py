"""Drawings as pen strokes, each point to be predicted from those before it, as a data kind."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.data import Batches, Data, Item
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.states import initial_states
from zoo.common.data.batching import pad, pad_to_multiple, shuffled_windows
from zoo.common.data.manifests import digest, parse_json_lines, text_field
from zoo.common.data.splits import split_by_group
from zoo.vision_language.handwriting.data import loops
from zoo.vision_language.handwriting.ink import Drawing, find_ink, parse_ink, read_ink

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs, ModelConfig
    from zoo.common.core.recipe import Recipe

# The input that is no file: a drawing of which there is nothing yet.
NEW = "new"
# XLA compiles anew for each shape, so batches are padded to multiples of so many points.
BUCKET = 16
# No drawing has more points.
MAX_POINTS = 5_000


@dataclass(frozen=True)
class Drawings(Data):
    """Drawings as the offset from each point to the next, and where the pen is lifted and they end.

    scale: float. The unit of offsets, in those of the drawings; 0: the standard deviation of the offsets
        of a run's drawings.
    """

    input_example: ClassVar[str] = "new"

    scale: float = 0.0

    def __post_init__(self):
        check_range("data.scale", self.scale, at_least=0, at_most=1e7)

    # Reading

    def read_manifest(self, path: Path) -> list[Drawing]:
        """See `Data.read_manifest`: JSON lines with `points` or `strokes`.

        Each may have `id`, `group` and `split`.
        """
        count = itertools.count(1)

        def parse(row: dict[str, Any]) -> Drawing:
            given = {key: text_field(row, key) for key in ("group", "split") if key in row}
            id_ = text_field(row, "id") if "id" in row else f"drawing {next(count)}"
            return Drawing(id_, parse_ink(row), **given)

        return parse_json_lines(path, parse)

    def split_dev(
        self, examples: list[Drawing], fraction: float, seed: int
    ) -> tuple[list[Drawing], list[Drawing]]:
        """See `Data.split_dev`: by group, and each drawing without a group by itself."""
        return split_by_group(examples, lambda e: e.group or e.id, fraction, seed)

    def checksum(self, examples: list[Drawing]) -> str:
        """See `Data.checksum`: of the points."""
        return digest((e.id, e.points.tolist()) for e in examples)

    def adapt(self, examples: list[Drawing], model: ModelConfig) -> tuple[Drawings, ModelConfig]:
        """See `Data.adapt`: takes the scale from the drawings, where it has none."""
        if self.scale:
            return self, model
        offsets = [np.diff(example.points[:, :2], axis=0) for example in examples]
        return replace(self, scale=float(f"{np.concatenate(offsets).std():.6g}")), model

    def filter_examples(
        self, examples: list[Drawing], recipe: Recipe
    ) -> tuple[list[Drawing], dict[str, int]]:
        """See `Data.filter_examples`: leaves out what has more than `MAX_POINTS` points."""
        kept = [example for example in examples if len(example.points) <= MAX_POINTS]
        if not kept:
            raise ZooError(
                f"No drawing can be learnt from: all {len(examples)} have more than {MAX_POINTS:,} "
                "points."
            )
        left_out = len(examples) - len(kept)
        return kept, {f"of more than {MAX_POINTS:,} points": left_out} if left_out else {}

    def length(self, example: Drawing) -> int:
        """See `Data.length`: in points."""
        return len(example.points)

    # Learning

    def batches(self, model: Any, recipe: Recipe, examples: list[Drawing], epoch: int) -> Batches:
        """See `Data.batches`: `points` and the states before them; `targets` float32 [batch, time, 4],
        each next point and whether it is the last, and `lengths`."""
        rows = [self._points(example.points) for example in examples]
        lengths = [len(row) for row in rows]
        states, training = recipe.model.states, recipe.training

        def generate():
            generator = np.random.default_rng((training.seed, epoch))
            for group in shuffled_windows(lengths, training.batch_size, generator):
                x, _ = pad([rows[i][:-1] for i in group])
                y, n = pad([next_points(rows[i]) for i in group])
                x, y = pad_to_multiple(x, BUCKET), pad_to_multiple(y, BUCKET)
                yield (
                    {"points": x, **initial_states(states, len(group))},
                    {"targets": y, "lengths": n},
                    np.array([examples[i].id for i in group]),
                )

        x = {spec.name: ((None, *spec.shape), spec.dtype) for spec in states}
        x = {"points": ((None, None, 3), "float32"), **x}
        y = {"targets": ((None, None, 4), "float32"), "lengths": ((None,), "int32")}
        return Batches(generate, (x, y))

    def steps_per_epoch(self, recipe: Recipe, examples: list[Drawing]) -> int:
        """See `Data.steps_per_epoch`."""
        return -(-len(examples) // recipe.training.batch_size)

    # Use

    def find_inputs(self, source: str) -> list[str]:
        """See `Data.find_inputs` and `zoo.vision_language.handwriting.ink.find_ink`."""
        return find_ink(source)

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """See `Data.read_input`: "new", or a file of ink with the first strokes of a drawing.

        `points` float32 [points, 3] are those the model reads first, and `begin` float64 [points, 3] the
        drawing so far.
        """
        if source == NEW:
            return {"points": np.zeros((1, 3), np.float32), "begin": np.zeros((1, 3))}
        begin = read_ink(Path(source))
        if len(begin) > MAX_POINTS:
            raise ZooError(
                f"{source}: a drawing must have at most {MAX_POINTS:,} points. Received: {len(begin):,}."
            )
        return {"points": self._points(begin), "begin": begin}

    def read_example(self, example: Drawing, recipe: Recipe) -> Item:
        """See `Data.read_example`: `points` float32 [points, 3]."""
        return {"points": self._points(example.points)}

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """See `Data.collate`: `points` padded with 0, and `lengths`."""
        points, lengths = pad([item["points"] for item in items])
        return {"points": points, "lengths": lengths}

    def join(self, begin: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Return a drawing, points float64 [points, 3], with drawn points [points, 3] after it."""
        offsets = drawn[:, :2].astype(np.float64) * self.scale
        positions = begin[-1, :2] + np.cumsum(offsets, axis=0)
        return np.concatenate([begin, np.column_stack([positions, drawn[:, 2]])])

    def plot(self, graphs: Graphs, recipe: Recipe, source: str, path: Path) -> None:
        """See `Data.plot`: the drawings that the model makes, beside each other."""
        from zoo.vision_language.handwriting.drawing_pictures import plot_drawings

        item = self.read_input(source, recipe)
        plot_drawings(recipe.task.draw(graphs, recipe, item), path)

    def _points(self, points: np.ndarray) -> np.ndarray:
        """Points [points, 3] as offsets from one to the next in units of `scale`, float32 [points, 3],
        the first at 0, and whether the pen is lifted after each."""
        offsets = np.diff(points[:, :2], axis=0, prepend=points[:1, :2]) / self.scale
        return np.column_stack([offsets, points[:, 2]]).astype(np.float32)

    # Delivery

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`: the unit of offsets."""
        return {"scale": self.scale}

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: rows of loops, point by point and as a whole."""
        points = self._points(loops(8))

        def step(rows, time_steps):
            block = points[: rows * time_steps].reshape(rows, time_steps, 3)
            return {"points": block, **initial_states(recipe.model.states, rows)}

        # A large bias, so that rounding does not choose another component.
        def serve(rows):
            numbers = range(rows)
            return {
                "max_points": [20 - i for i in numbers],
                "seed": [3 + i for i in numbers],
                "bias": [50.0] * rows,
            }

        return {
            "step": [step(1, 1), step(1, 40), step(3, 1), step(4, 25)],
            "serving_default": [serve(1), serve(3)],
        }


def next_points(points: np.ndarray) -> np.ndarray:
    """Return what follows each of the points [n, 3] but the last: float32 [n - 1, 4], the point, and 1
    where it is the last."""
    targets = np.pad(points[1:], ((0, 0), (0, 1)))
    targets[-1, 3] = 1
    return targets
