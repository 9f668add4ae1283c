"""Drawings as pen strokes, for models that predict each point from those before, as a data kind."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import FileInputs, InputPlots, OutputFormats
from zoo.common.core.data import Batches, Data, Epoch, Item
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.formats import Format
from zoo.common.core.model import ModelConfig
from zoo.common.core.predictor import Predictor
from zoo.common.core.states import initial_states
from zoo.common.data.batching import pad, pad_to_multiple, shuffled_windows
from zoo.common.data.manifests import digest, parse_json_lines, text_field
from zoo.vision_language.handwriting.data import loops
from zoo.vision_language.handwriting.ink import Drawing, find_ink, parse_ink, read_ink
from zoo.vision_language.handwriting.pen_mixture import next_points

# The input that is not a file: a new drawing.
NEW = "new"
# XLA compiles again for each new shape, so batches are padded to a multiple of this number of points.
BUCKET = 16
# Maximum number of points of a drawing.
MAX_POINTS = 5_000


@dataclass(frozen=True)
class Drawings(Data, FileInputs, InputPlots, OutputFormats, Baselines):
    """Drawings as offsets from each point to the next, with the ends of strokes and of the drawing.

    Args:
        scale: unit of the offsets, in units of the coordinates. If it is 0, `adapt` sets it to the
            standard deviation of the offsets of a run's drawings.
    """

    input_example: ClassVar[str] = "new"
    accepts_arrays: ClassVar[bool] = True
    baseline_limit: ClassVar[int] = 1_000

    scale: float = 0.0

    def __post_init__(self):
        check_range("data.scale", self.scale, at_least=0, at_most=1e7)

    # Reading

    def read_manifest(self, path: Path) -> list[Drawing]:
        """Return the drawings of JSON lines with `points` or `strokes`.

        A line may have `id`, `group` and `split`.
        """
        count = itertools.count(1)

        def parse(row: dict[str, Any]) -> Drawing:
            given = {key: text_field(row, key) for key in ("group", "split") if key in row}
            id_ = text_field(row, "id") if "id" in row else f"drawing {next(count)}"
            return Drawing(id_, parse_ink(row), **given)

        return parse_json_lines(path, parse)

    def group_of(self, example: Drawing) -> str:
        """Return the group of a drawing, or its id if it has no group."""
        return example.group or example.id

    def checksum(self, examples: list[Drawing]) -> str:
        return digest((e.id, e.points.tolist()) for e in examples)

    def adapt(self, examples: list[Drawing], model: ModelConfig) -> tuple[Data, ModelConfig]:
        """Set `scale` if it is 0."""
        if self.scale:
            return self, model
        offsets = [np.diff(example.points[:, :2], axis=0) for example in examples]
        return replace(self, scale=float(f"{np.concatenate(offsets).std():.6g}")), model

    def filter_examples(
        self, examples: list[Drawing], model: ModelConfig
    ) -> tuple[list[Drawing], dict[str, int]]:
        """Leave out drawings with more than `MAX_POINTS` points."""
        kept = [example for example in examples if len(example.points) <= MAX_POINTS]
        if not kept:
            raise ZooError(
                f"No drawing is usable: all {len(examples)} have more than {MAX_POINTS:,} points."
            )
        left_out = len(examples) - len(kept)
        return kept, {f"of more than {MAX_POINTS:,} points": left_out} if left_out else {}

    # Training

    def batches(
        self, examples: list[Drawing], model: ModelConfig, network: Any, epoch: Epoch
    ) -> Batches:
        """Return batches of drawings.

        x has `points` float32 [batch, time, 3] and the initial states of the model; y has `targets`
        float32 [batch, time, 4], see `next_points`, and `lengths` int32 [batch].
        """
        rows = [self._offsets(example.points) for example in examples]
        lengths = [len(row) for row in rows]
        states = model.states

        def generate():
            for group in shuffled_windows(lengths, epoch.batch_size, epoch.generator()):
                x, _ = pad([rows[i][:-1] for i in group])
                y, n = pad([next_points(rows[i]) for i in group])
                x, y = pad_to_multiple(x, BUCKET), pad_to_multiple(y, BUCKET)
                yield (
                    {"points": x, **initial_states(states, len(group))},
                    {"targets": y, "lengths": n},
                    np.array([examples[i].id for i in group]),
                )

        of_states = {spec.name: ((None, *spec.shape), spec.dtype) for spec in states}
        x = {"points": ((None, None, 3), "float32"), **of_states}
        y = {"targets": ((None, None, 4), "float32"), "lengths": ((None,), "int32")}
        return Batches(generate, (x, y), -(-len(examples) // epoch.batch_size))

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.vision_language.handwriting.baselines import drawing_baselines

        return drawing_baselines(predictor, examples, seed)

    # Use

    def find_inputs(self, source: str) -> list[str]:
        return find_ink(source)

    def accepts_text(self, text: str) -> bool:
        return text == NEW

    def read_input(self, source: Any, model: ModelConfig) -> Item:
        """Return the start of a drawing.

        Args:
            source: "new"; or the first strokes of a drawing as a path or an array. See
                `zoo.vision_language.handwriting.ink.read_ink`.
            model: config of the model.

        Returns:
            `points` float32 [points, 3], the input of the model, and `begin` float64 [points, 3], the
            same points in the coordinates of the source.
        """
        if isinstance(source, str) and source == NEW:
            return {"points": np.zeros((1, 3), np.float32), "begin": np.zeros((1, 3))}
        begin = read_ink(source)
        if len(begin) > MAX_POINTS:
            name = f"{source}: " if isinstance(source, str | Path) else ""
            raise ZooError(
                f"{name}a drawing must have at most {MAX_POINTS:,} points. Received: {len(begin):,}."
            )
        return {"points": self._offsets(begin), "begin": begin}

    def read_example(self, example: Drawing, model: ModelConfig) -> Item:
        return {"points": self._offsets(example.points)}

    def sort_key(self, example: Drawing) -> float:
        return len(example.points)

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        points, lengths = pad([item["points"] for item in items])
        return {"points": points, "lengths": lengths}

    def join(self, begin: np.ndarray, drawn: np.ndarray) -> np.ndarray:
        """Return a drawing that continues with generated points.

        Args:
            begin: float64 [points, 3], the start of the drawing in its coordinates.
            drawn: float32 [points, 3], offsets in units of `scale`, and pen_up.

        Returns:
            float64 [points, 3] in the coordinates of `begin`.
        """
        offsets = drawn[:, :2].astype(np.float64) * self.scale
        positions = begin[-1, :2] + np.cumsum(offsets, axis=0)
        return np.concatenate([begin, np.column_stack([positions, drawn[:, 2]])])

    def formats(self, task: Any, model: Any, decoder: Any) -> dict[str, Format]:
        """Return "svg", one file with all drawings."""
        from zoo.vision_language.handwriting.svg import SVG

        return {"svg": SVG}

    def plot_input(
        self, predictor: Predictor[Any, Any, Any], task: Any, source: Any, path: Path
    ) -> None:
        """Draw the generated drawings."""
        from zoo.vision_language.handwriting.plots import plot_drawings

        item = self.read_input(source, predictor.model)
        plot_drawings(task.draw(predictor, item), path)

    def _offsets(self, points: np.ndarray) -> np.ndarray:
        """Return points [points, 3] as offsets in units of `scale`, the first 0, and pen_up."""
        offsets = np.diff(points[:, :2], axis=0, prepend=points[:1, :2]) / self.scale
        return np.column_stack([offsets, points[:, 2]]).astype(np.float32)

    # Export

    def example_inputs(self, model: ModelConfig, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return rows of loops, point by point and as a whole."""
        points = self._offsets(loops(8))

        def step(rows, time_steps):
            block = points[: rows * time_steps].reshape(rows, time_steps, 3)
            return {"points": block, **initial_states(model.states, rows)}

        # With a large bias, rounding errors do not select another component.
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

    def export_metadata(self, model: ModelConfig) -> dict[str, Any]:
        """Return the unit of the offsets."""
        return {"scale": self.scale}
