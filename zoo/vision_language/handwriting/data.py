"""Pen strokes with the words they write, as a data kind."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.data import Batches, Data, Item, RawInput
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.model import ModelConfig
from zoo.common.core.recipe import asset
from zoo.common.ctc.alignment import min_frames
from zoo.common.data.batching import pad, pad_to_multiple, shuffled_windows
from zoo.common.data.labels import LABELS_FILE, Labels
from zoo.common.data.manifests import digest, parse_json_lines, text_field
from zoo.common.data.sequence_input import sequence_input
from zoo.common.data.splits import split_by_group
from zoo.common.runtime.keras_model import MODEL
from zoo.common.utils.files import read_text
from zoo.vision_language.handwriting.ink import (
    HandwrittenWord,
    find_ink,
    parse_ink,
    read_ink,
    split_strokes,
)
from zoo.vision_language.handwriting.stroke_features import (
    FEATURES,
    Distortion,
    distort,
    normalise,
    preprocess,
    resample,
    stroke_features,
)

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

# XLA compiles anew for each shape, so batches are padded to multiples of these.
POINT_BUCKET, LABEL_BUCKET = 32, 8


@dataclass(frozen=True)
class PenStrokes(Data):
    """Words as pen strokes, written in labels that are characters.

    labels: Labels. Empty: taken from the words of a run.
    spacing: float. From one point to the next along the ink, in sizes of the word.
    distortion: Distortion. Random changes in training.
    """

    input_example: ClassVar[str] = "word.json"

    free_axes: ClassVar[Mapping[str, tuple[str, ...]]] = {"strokes": ("points",)}

    labels: Labels = asset(Labels())
    spacing: float = 0.3
    distortion: Distortion = field(default_factory=Distortion)

    def __post_init__(self):
        check_range("data.spacing", self.spacing, at_least=0.01, at_most=10)

    # Reading

    def read_manifest(self, path: Path) -> list[HandwrittenWord]:
        """See `Data.read_manifest`: JSON lines with `word` and `points` or `strokes`.

        Each may have `id`, `page` and `split`.
        """
        count = itertools.count(1)

        def parse(row: dict[str, Any]) -> HandwrittenWord:
            given = {key: text_field(row, key) for key in ("page", "split") if key in row}
            id_ = text_field(row, "id") if "id" in row else f"word {next(count)}"
            return HandwrittenWord(id_, text_field(row, "word").strip(), parse_ink(row), **given)

        return parse_json_lines(path, parse)

    def split_dev(
        self, examples: list[HandwrittenWord], fraction: float, seed: int
    ) -> tuple[list[HandwrittenWord], list[HandwrittenWord]]:
        """See `Data.split_dev`: by page."""
        return split_by_group(examples, lambda example: example.page, fraction, seed)

    def checksum(self, examples: list[HandwrittenWord]) -> str:
        """See `Data.checksum`: of the words and their points."""
        return digest((e.id, e.transcript, e.points.tolist()) for e in examples)

    def adapt(
        self, examples: list[HandwrittenWord], model: ModelConfig
    ) -> tuple[PenStrokes, ModelConfig]:
        """See `Data.adapt`: takes the labels from the words, where it has none."""
        labels = self.labels
        if not len(labels):
            labels = Labels.of((e.transcript for e in examples), "character")
        return replace(self, labels=labels), replace(model, vocabulary_size=labels.size)

    def filter_examples(
        self, examples: list[HandwrittenWord], recipe: Recipe
    ) -> tuple[list[HandwrittenWord], dict[str, int]]:
        """See `Data.filter_examples`: leaves out what has too few or too many points for its word.

        Raises:
            ZooError: a word has letters that are not among the labels, or no word is left.
        """
        reasons = [self._reason(example, recipe) for example in examples]
        kept = [e for e, reason in zip(examples, reasons, strict=True) if reason is None]
        left_out = Counter(filter(None, reasons))
        if not kept:
            counts = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
            raise ZooError(f"No word can be learnt from: {counts} of {len(examples)} words.")
        return kept, dict(left_out)

    def _reason(self, example: HandwrittenWord, recipe: Recipe) -> str | None:
        """Why an example is left out; None for one that is not."""
        labels = self.encode(example)
        try:
            points = len(self.read_example(example, recipe)["strokes"])
        except ZooError:
            return "too long for a word"
        # The smallest that training makes of it must still have a frame for every label.
        by = self.distortion
        shrunk = int(points * np.exp(-by.stretch - by.size - by.shear))
        too_short = recipe.model.frames(shrunk) < min_frames(labels)
        return "too short for its word" if too_short else None

    def encode(self, example: HandwrittenWord) -> list[int]:
        """Return the labels of a word. Raises `ZooError` for a letter that has none."""
        try:
            return self.labels.encode(example.transcript)
        except ZooError as error:
            raise ZooError(f"The word {example.id!r}: {error}") from None

    def length(self, example: HandwrittenWord) -> int:
        """See `Data.length`: in points."""
        return len(example.points)

    # Learning

    def batches(
        self, model: Any, recipe: Recipe, examples: list[HandwrittenWord], epoch: int
    ) -> Batches:
        """See `Data.batches`: `strokes` and `lengths`; `labels` and `label_lengths`."""
        labels = [np.array(self.encode(example), np.int32) for example in examples]
        strokes = [normalise(split_strokes(example.points)) for example in examples]
        lengths = [self.length(example) for example in examples]
        seed, size = recipe.training.seed, recipe.training.batch_size

        def generate():
            generator = np.random.default_rng((seed, epoch))
            for group in shuffled_windows(lengths, size, generator):
                words = [distort(strokes[i], self.distortion, generator) for i in group]
                words = [resample(word, self.spacing) for word in words]
                x, n = pad([stroke_features(word) for word in words])
                y, m = pad([labels[i] for i in group])
                yield (
                    {"strokes": pad_to_multiple(x, POINT_BUCKET), "lengths": n},
                    {"labels": pad_to_multiple(y, LABEL_BUCKET), "label_lengths": m},
                    np.array([examples[i].id for i in group]),
                )

        x = {"strokes": ((None, None, len(FEATURES)), "float32"), "lengths": ((None,), "int32")}
        y = {"labels": ((None, None), "int32"), "label_lengths": ((None,), "int32")}
        return Batches(generate, (x, y))

    def steps_per_epoch(self, recipe: Recipe, examples: list[HandwrittenWord]) -> int:
        """See `Data.steps_per_epoch`."""
        return -(-len(examples) // recipe.training.batch_size)

    # Use

    def find_inputs(self, source: str) -> list[str]:
        """See `Data.find_inputs` and `zoo.vision_language.handwriting.ink.find_ink`."""
        return find_ink(source)

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """See `Data.read_input`: of a JSON or InkML file, by `zoo.vision_language.handwriting.ink.read_ink`."""
        points = read_ink(Path(source))
        try:
            return self._item(points)
        except ZooError as error:
            raise ZooError(f"{source}: {error}") from None

    def plot(self, graphs: Graphs, recipe: Recipe, source: str, path: Path) -> None:
        """See `Data.plot`: the strokes in the colours of the letters they are read as."""
        from zoo.vision_language.handwriting.plots import plot_ink

        plot_ink(graphs, recipe, source, path)

    def read_example(self, example: HandwrittenWord, recipe: Recipe) -> Item:
        """See `Data.read_example`."""
        return self._item(example.points)

    def _item(self, points: np.ndarray) -> Item:
        return {"strokes": stroke_features(preprocess(points, self.spacing))}

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """See `Data.collate`: `strokes` padded with 0, and `lengths`."""
        strokes, lengths = pad([item["strokes"] for item in items])
        return {"strokes": strokes, "lengths": lengths}

    # Delivery

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`: the labels, the features of a point and its distance to the next."""
        return self.labels.facts() | {"features": list(FEATURES), "spacing": self.spacing}

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: `serving_default` takes features, as the model does."""
        entry = sequence_input("strokes", (len(FEATURES),), "points")
        return {"serving_default": entry}

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: rows of loops, as in exercises, one by one and as one batch."""
        rows = [self._item(loops(count)) for count in (3, 8)]
        inputs = [self.collate([row]) for row in rows] + [self.collate(rows)]
        return {"serving_default": inputs, MODEL: inputs}

    def assets(self) -> dict[str, str]:
        """See `Data.assets`: a line for each CTC label, the blank first."""
        return {LABELS_FILE: self.labels.to_text()}

    def with_assets(self, folder: Path) -> PenStrokes:
        """See `Data.with_assets`."""
        path = folder / LABELS_FILE
        return replace(self, labels=Labels.from_text(read_text(path), path, "character"))


def loops(count: int) -> np.ndarray:
    """Return a row of so many loops, like letters e, and a dot: points as of `parse_ink`."""
    angle = np.linspace(0, 2 * np.pi * count, 16 * count + 1)
    x, y = 8 * angle - 30 * np.sin(angle), 30 * np.cos(angle)
    points = np.column_stack([x, y, np.zeros(len(angle))])
    points[-1, 2] = 1
    return np.vstack([points, [x[-1] / 2, -60, 1]])
