"""Spectrograms as data: examples that are features already, each with a class.

A model of spectrograms is a `KerasModel` with
    the inputs `spectrogram` float32 [batch, frames, bands], values 0 to `Spectrograms.top`, row 0 the
    lowest band, and `lengths` int32 [batch], the frames of each before padding;
    the output `logits` float32 [batch, num_classes].
What stands beyond a spectrogram's length in a batch has no effect on its logits. The config has `bands`,
`num_classes` and `top`, which the data sets, and `min_frames`, the fewest frames that the model takes.
"""

from __future__ import annotations

import functools
import zlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.data import Batches, Data, Item, RawInput, Segments
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.formats import Format
from zoo.common.core.model import Graphs, ModelConfig
from zoo.common.core.recipe import Recipe, asset
from zoo.common.data.batching import keep_readable, pad, shuffled_windows
from zoo.common.data.labels import LABELS_FILE, Labels
from zoo.common.data.manifests import digest
from zoo.common.data.sequence_input import sequence_input
from zoo.common.data.splits import split_by_group
from zoo.common.runtime.keras_model import MODEL
from zoo.common.utils.files import read_text
from zoo.speech.audio.reading import read_audio
from zoo.speech.detection.corpora.spectrogram import Spectrogram, read_manifest
from zoo.speech.detection.formats import detection_formats
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.spectrogram_files import mel_spectrogram, read_array
from zoo.speech.recognition.data import EXAMPLE_CLIPS, NO_MASKS, SpecAugment
from zoo.speech.recordings import SUFFIXES, find_recordings, spectrogram_segments

ARRAY = ".npy"


@dataclass(frozen=True)
class Spectrograms(Data):
    """Spectrograms, each with a class.

    labels: Labels. The classes. Empty: taken from the examples of the run.
    features: LogMel. How a recording becomes a spectrogram; see `mel_spectrogram`.
    top: float. The highest value; each spectrogram is scaled by itself, from 0.
    time_shift: int. The most frames a training example is turned by, its end coming in at its start.
    spec_augment: SpecAugment. Masks drawn for each example in each epoch, of its mean.
    window: float. Seconds of each piece of a long recording; of a longer training example one piece is
        drawn in each epoch.
    """

    input_example: ClassVar[str] = "recording.wav"

    labels: Labels = asset(Labels((), "class"))
    features: LogMel = field(default_factory=LogMel)
    top: float = 63.0
    time_shift: int = 0
    spec_augment: SpecAugment = NO_MASKS
    window: float = 2.0

    def __post_init__(self):
        check_range("data.top", self.top, above=0)
        check_range("data.window", self.window, at_least=0.1, at_most=60)
        check_range("data.time_shift", self.time_shift, at_least=0)

    # Reading

    def read_manifest(self, path: Path) -> list[Spectrogram]:
        """See `zoo.speech.detection.corpora.spectrogram.read_manifest`."""
        return read_manifest(path)

    def split_dev(
        self, examples: list[Spectrogram], fraction: float, seed: int
    ) -> tuple[list[Spectrogram], list[Spectrogram]]:
        """See `Data.split_dev`. By group; a clip of none is a group of its own."""
        return split_by_group(examples, lambda e: e.group or e.id, fraction, seed)

    def checksum(self, examples: list[Spectrogram]) -> str:
        """See `Data.checksum`: of ids, classes and values, or of the sizes of files."""
        return digest((e.id, e.transcript, _size_or_sum(e)) for e in examples)

    def adapt(
        self, examples: list[Spectrogram], model: ModelConfig
    ) -> tuple[Spectrograms, ModelConfig]:
        """See `Data.adapt`: the classes, and what the model knows of its input and output."""
        labels = self.labels
        if not len(labels):
            labels = Labels.of((e.transcript for e in examples), "class")
        known = {"bands": self.features.mel_bins, "num_classes": labels.size, "top": self.top}
        return replace(self, labels=labels), replace(model, **known)

    def filter_examples(
        self, examples: list[Spectrogram], recipe: Recipe
    ) -> tuple[list[Spectrogram], dict[str, int]]:
        """See `Data.filter_examples`. Raises `ZooError` too for a class that is none of the labels."""
        for example in examples:
            self.labels.class_of(example)
        return keep_readable(
            examples, lambda example: self.read_example(example, recipe), "unreadable"
        )

    # Learning

    def batches(
        self, model: Any, recipe: Recipe, examples: list[Spectrogram], epoch: int
    ) -> Batches:
        """See `Data.batches`: shifted and masked as the recipe's seed and the epoch's number fix.

        x is as of `collate`; y has `label` int32 [batch].
        """
        seed, size = recipe.training.seed, recipe.training.batch_size
        labels = np.array([self.labels.class_of(example) for example in examples], np.int32)

        def generate():
            generator = np.random.default_rng([seed, epoch])
            rows = [self._piece(self._row(e, recipe), generator) for e in examples]
            for indices in shuffled_windows([len(row) for row in rows], size, generator):
                items = [{"spectrogram": self.augment(rows[i], generator)} for i in indices]
                ids = np.array([examples[i].id for i in indices])
                yield self.collate(items), {"label": labels[indices]}, ids

        x = {
            "spectrogram": ((None, None, self.features.mel_bins), "float32"),
            "lengths": ((None,), "int32"),
        }
        return Batches(generate, (x, {"label": ((None,), "int32")}))

    def _row(self, example: Spectrogram, recipe: Recipe) -> np.ndarray:
        if example.values is None:
            return _of_file(example.path, example.path.stat().st_mtime_ns, recipe)
        return self.read_example(example, recipe)["spectrogram"]

    def _piece(self, values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        longest = 1 + round(self.window * self.features.sample_rate) // self.features.hop_samples
        if len(values) <= longest:
            return values
        begin = int(generator.integers(len(values) - longest + 1))
        return values[begin : begin + longest]

    def augment(self, values: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Return a spectrogram [frames, bands] turned in time, with bands and spans set to its mean."""
        masks, mean = self.spec_augment, values.mean()
        turn = generator.integers(-self.time_shift, self.time_shift + 1)
        values = np.roll(values, turn, axis=0)
        frames, bands = values.shape
        for _ in range(masks.freq_masks):
            values[:, _span(bands, min(masks.freq_width, bands - 1), generator)] = mean
        for _ in range(masks.time_masks):
            longest = min(masks.time_width, int(masks.time_share * frames))
            values[_span(frames, longest, generator)] = mean
        return values

    def steps_per_epoch(self, recipe: Recipe, examples: list[Spectrogram]) -> int:
        """See `Data.steps_per_epoch`."""
        return -(-len(examples) // recipe.training.batch_size)

    # Use

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """Return a file as `spectrogram` float32 [frames, bands].

        Args:
            source: a recording of any kind; or a .npy file, a spectrogram [bands, frames] with values
                from 0 to `top`, row 0 the lowest band.

        Raises:
            ZooError: as `zoo.speech.audio.reading.read_audio`, or the array is not so.
        """
        fewest = recipe.model.min_frames
        if Path(source).suffix.lower() == ARRAY:
            values = read_array(source).T
        else:
            least = fewest * self.features.hop_samples / self.features.sample_rate
            rate = self.features.sample_rate
            waveform = read_audio(source, rate, min_seconds=least, allow_silence=True)
            values = mel_spectrogram(waveform, self.features, self.top)
        return {"spectrogram": self._checked(values, source, fewest)}

    def find_inputs(self, source: str) -> list[str]:
        """See `Data.find_inputs`: recordings and arrays."""
        return find_recordings(source, (*SUFFIXES, ARRAY))

    def segments(self, source: str, recipe: Recipe) -> Segments | None:
        """See `Data.segments`: windows of a recording. An array is one clip, however long."""
        if Path(source).suffix.lower() == ARRAY:
            return None
        return spectrogram_segments(source, recipe, self.window)

    def formats(self, recipe: Recipe) -> dict[str, Format]:
        """See `Data.formats`: files of detections."""
        return detection_formats(recipe, self.features)

    def plot(self, graphs: Graphs, recipe: Recipe, source: str, path: Path) -> None:
        """See `Data.plot`: where a class was heard."""
        from zoo.speech.detection.plots import plot_clip, plot_detections

        if Path(source).suffix.lower() == ARRAY:
            item = self.read_input(source, recipe)
            plot_clip(graphs, recipe, item, Path(source).name, path, self.features)
        else:
            plot_detections(graphs, recipe, source, path, self.features)

    def read_example(self, example: Spectrogram, recipe: Recipe) -> Item:
        """See `Data.read_example` and `read_input`."""
        if example.values is None:
            return self.read_input(str(example.path), recipe)
        return {"spectrogram": self._checked(example.values, example.id, recipe.model.min_frames)}

    def _checked(self, values: np.ndarray, name: str, fewest: int) -> np.ndarray:
        bands = self.features.mel_bins
        if values.ndim != 2 or values.shape[1] != bands or len(values) < fewest:
            raise ZooError(
                f"{name}: a spectrogram must have {bands} bands and {fewest} frames or more. "
                f"Received: [bands, frames] = {list(values.shape[::-1])}."
            )
        if not (values.min() >= 0 and values.max() <= self.top):  # false for NaN
            raise ZooError(
                f"{name}: values must be from 0 to {self.top:g}. "
                f"Received: {values.min():g} to {values.max():g}."
            )
        return values.astype(np.float32)

    def length(self, example: Spectrogram) -> float:
        """See `Data.length`: in seconds of a recording, else in frames; 0 where neither is known."""
        return example.seconds if example.values is None else len(example.values)

    def about_input(self, item: Item, recipe: Recipe) -> dict[str, Any]:
        """See `Data.about_input`: `seconds`."""
        hop = self.features.hop_samples / self.features.sample_rate
        return {"seconds": round((len(item["spectrogram"]) - 1) * hop, 3)}

    def collate(self, items: Iterable[Item]) -> dict[str, np.ndarray]:
        """See `Data.collate`: `spectrogram` [batch, frames, bands] and `lengths` int32 [batch]."""
        spectrogram, lengths = pad([item["spectrogram"] for item in items])
        return {"spectrogram": spectrogram, "lengths": lengths}

    # Delivery

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`: the classes, the highest value and the fewest frames."""
        return self.labels.facts() | {"top": self.top, "min_frames": recipe.model.min_frames}

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: spectrograms with lengths, as the model takes them."""
        entry = sequence_input(
            "spectrogram", (self.features.mel_bins,), "frames", recipe.model.min_frames
        )
        return {"serving_default": entry}

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: spectrograms of the shipped clips, one by one and together."""
        items = [self.read_input(str(clip), recipe) for clip in EXAMPLE_CLIPS]
        batches = [self.collate([item]) for item in items] + [self.collate(items)]
        return {"serving_default": batches, MODEL: batches}

    def assets(self) -> dict[str, str]:
        """See `Data.assets`: a line for each class."""
        return {LABELS_FILE: self.labels.to_text()}

    def with_assets(self, folder: Path) -> Spectrograms:
        """See `Data.with_assets`."""
        path = folder / LABELS_FILE
        return replace(self, labels=Labels.from_text(read_text(path), path, "class"))


@functools.lru_cache(maxsize=4096)
def _of_file(path: Path, changed: int, recipe: Recipe) -> np.ndarray:
    """The spectrogram of a file that was `changed` at some time: read in the first epoch alone."""
    return recipe.data.read_input(str(path), recipe)["spectrogram"]


def _span(size: int, longest: int, generator: np.random.Generator) -> slice:
    length = int(generator.integers(longest + 1))
    begin = int(generator.integers(size - length + 1))
    return slice(begin, begin + length)


def _size_or_sum(example: Spectrogram) -> int:
    if example.values is None:
        return example.path.stat().st_size
    return zlib.crc32(np.ascontiguousarray(example.values).tobytes())
