"""Handwritten words as pen strokes with transcripts, as a data kind."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import FileInputs, InputPlots, RawInput, RawInputs
from zoo.common.core.data import Batches, Data, Epoch, Item
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import asset
from zoo.common.ctc.alignment import min_frames
from zoo.common.data.batching import pad, pad_to_multiple, shuffled_windows
from zoo.common.data.labels import LABELS_FILE, LabelledData, Labels
from zoo.common.data.manifests import digest, parse_json_lines, text_field
from zoo.common.data.sequence_input import sequence_input
from zoo.common.runtime.keras_model import MODEL
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
    normalize,
    preprocess,
    resample,
    stroke_features,
)

# XLA compiles again for each new shape, so batches are padded to multiples of these.
POINT_BUCKET, LABEL_BUCKET = 32, 8


@dataclass(frozen=True)
class PenStrokes(LabelledData, FileInputs, InputPlots, RawInputs, Baselines):
    """Handwritten words as pen strokes, whose labels are characters.

    The model has the inputs `strokes` float32 [batch, points, features] and `lengths` int32 [batch].

    Args:
        labels: the characters; if empty, `adapt` takes them from the transcripts.
        spacing: distance between points along the ink, in units of the size of the word.
        distortion: random changes in training.
    """

    input_example: ClassVar[str] = "word.json"
    accepts_arrays: ClassVar[bool] = True

    free_axes: ClassVar[Mapping[str, tuple[str, ...]]] = {"strokes": ("points",)}

    labels: Labels = asset(Labels, file=LABELS_FILE)
    spacing: float = 0.3
    distortion: Distortion = field(default_factory=Distortion)

    def __post_init__(self):
        object.__setattr__(self, "labels", self.labels.with_unit("character"))
        check_range("data.spacing", self.spacing, at_least=0.01, at_most=10)

    # Reading

    def read_manifest(self, path: Path) -> list[HandwrittenWord]:
        """Return the words of JSON lines with `word` and `points` or `strokes`.

        A line may have `id`, `page` and `split`.
        """
        count = itertools.count(1)

        def parse(row: dict[str, Any]) -> HandwrittenWord:
            given = {key: text_field(row, key) for key in ("page", "split") if key in row}
            id_ = text_field(row, "id") if "id" in row else f"word {next(count)}"
            return HandwrittenWord(id_, text_field(row, "word").strip(), parse_ink(row), **given)

        return parse_json_lines(path, parse)

    def group_of(self, example: HandwrittenWord) -> str:
        """Return the page."""
        return example.page

    def checksum(self, examples: list[HandwrittenWord]) -> str:
        return digest((e.id, e.transcript, e.points.tolist()) for e in examples)

    def label_texts(self, example: HandwrittenWord) -> Sequence[str]:
        return [example.transcript]

    def adapt(self, examples: list[HandwrittenWord], model: Any) -> tuple[Data, Any]:
        labels = self.labels or Labels.of((e.transcript for e in examples), "character")
        return replace(self, labels=labels), replace(model, vocabulary_size=labels.size)

    def filter_examples(
        self, examples: list[HandwrittenWord], model: Any
    ) -> tuple[list[HandwrittenWord], dict[str, int]]:
        """Leave out words with too few or too many points.

        Raises:
            ZooError: a word has characters without a label, or no word is usable.
        """
        reasons = [self._reason(example, model) for example in examples]
        kept = [e for e, reason in zip(examples, reasons, strict=True) if reason is None]
        left_out = Counter(reason for reason in reasons if reason)
        if not kept:
            counts = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
            raise ZooError(f"No word is usable: {counts} of {len(examples)} words.")
        return kept, dict(left_out)

    def _reason(self, example: HandwrittenWord, model: Any) -> str | None:
        """Return why an example is left out, or None if it is usable."""
        labels = self.encode(example)
        try:
            points = len(self.read_example(example, model)["strokes"])
        except ZooError:
            return "too long for a word"
        # The word with the fewest points that training can make must have a frame for every label.
        by = self.distortion
        shrunk = int(points * np.exp(-by.stretch - by.size - by.shear))
        too_short = model.frames(shrunk) < min_frames(labels)
        return "too short for its word" if too_short else None

    def encode(self, example: HandwrittenWord) -> list[int]:
        """Return the labels of a word.

        Raises:
            ZooError: a character has no label. The message names the example.
        """
        try:
            return self.labels.encode(example.transcript)
        except ZooError as error:
            raise ZooError(f"The word {example.id!r}: {error}") from None

    # Training

    def batches(
        self, examples: list[HandwrittenWord], model: Any, network: Any, epoch: Epoch
    ) -> Batches:
        """Return batches of distorted words.

        x has `strokes` float32 [batch, points, features] and `lengths` int32 [batch]; y has `labels`
        int32 [batch, labels] and `label_lengths` int32 [batch].
        """
        labels = [np.array(self.encode(example), np.int32) for example in examples]
        strokes = [normalize(split_strokes(example.points)) for example in examples]
        lengths = [len(example.points) for example in examples]

        def generate():
            generator = epoch.generator()
            for group in shuffled_windows(lengths, epoch.batch_size, generator):
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
        return Batches(generate, (x, y), -(-len(examples) // epoch.batch_size))

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.vision_language.handwriting.baselines import word_baselines

        return word_baselines(predictor, examples)

    # Use

    def find_inputs(self, source: str) -> list[str]:
        return find_ink(source)

    def read_input(self, source: Any, model: Any) -> Item:
        """Return the features of a word.

        Args:
            source: path of a JSON or InkML file, or an array float [points, 3] of x, y and pen_up. See
                `zoo.vision_language.handwriting.ink.read_ink`.
            model: config of the model.
        """
        points = read_ink(source)
        try:
            return self._item(points)
        except ZooError as error:
            raise ZooError(
                f"{source}: {error}" if isinstance(source, str | Path) else str(error)
            ) from None

    def read_example(self, example: HandwrittenWord, model: Any) -> Item:
        return self._item(example.points)

    def sort_key(self, example: HandwrittenWord) -> float:
        return len(example.points)

    def _item(self, points: np.ndarray) -> Item:
        return {"strokes": stroke_features(preprocess(points, self.spacing))}

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        strokes, lengths = pad([item["strokes"] for item in items])
        return {"strokes": strokes, "lengths": lengths}

    def plot_input(
        self, predictor: Predictor[Any, Any, Any], task: Any, source: Any, path: Path
    ) -> None:
        """Draw the strokes in the colours of the recognized letters."""
        from zoo.vision_language.handwriting.plots import plot_ink

        plot_ink(predictor, task, source, path)

    # Export

    def raw_inputs(self, model: Any, decoder: Any) -> dict[str, RawInput]:
        """Return `serving_default`, whose inputs are those of the model."""
        return {"serving_default": sequence_input("strokes", (len(FEATURES),), "points")}

    def example_inputs(self, model: Any, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return rows of loops, one by one and as one batch."""
        rows = [self._item(loops(count)) for count in (3, 8)]
        inputs = [self.collate([row]) for row in rows] + [self.collate(rows)]
        return {"serving_default": inputs, MODEL: inputs}

    def export_metadata(self, model: Any) -> dict[str, Any]:
        """Return the labels, the names of the features of a point, and the spacing of points."""
        metadata = {"features": list(FEATURES), "spacing": self.spacing}
        return self.labels.export_metadata() | metadata


def loops(count: int) -> np.ndarray:
    """Return the points of a row of loops, like the letter e, and a dot.

    Args:
        count: number of loops.

    Returns:
        float64 [points, 3], as `zoo.vision_language.handwriting.ink.parse_ink`.
    """
    angle = np.linspace(0, 2 * np.pi * count, 16 * count + 1)
    x, y = 8 * angle - 30 * np.sin(angle), 30 * np.cos(angle)
    points = np.column_stack([x, y, np.zeros(len(angle))])
    points[-1, 2] = 1
    return np.vstack([points, [x[-1] / 2, -60, 1]])
