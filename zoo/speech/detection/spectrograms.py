"""Spectrograms as data: examples whose features are computed before training, each with a label.

A model of spectrograms is a `KerasModel` with
    the inputs `spectrogram` float32 [batch, frames, bands], values from 0 to `Spectrograms.top`, row 0
    the lowest band, and `lengths` int32 [batch], the number of frames of each row without padding;
    the output `logits` float32 [batch, num_classes].
Frames after the length of a row have no effect on its logits. The config has `bands`, `num_classes`,
`top` and `frame_outputs`, which the data sets; `min_frames`, the minimum number of frames; and
`subsampling_factor`, the number of frames of the input for each frame of the outputs. With
`frame_outputs`, there are the outputs of `zoo.common.tasks.frames`, which examples with the times of
events train.
"""

from __future__ import annotations

import functools
import math
import zlib
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import (
    FileInputs,
    InputPlots,
    OutputFormats,
    RawInput,
    RawInputs,
    SegmentedInputs,
    Segments,
)
from zoo.common.core.data import Batch, Batches, Epoch, Item
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.formats import Format
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import asset
from zoo.common.data.batching import keep_readable, pad, shuffled_windows
from zoo.common.data.labels import LABELS_FILE, LabelledData, Labels
from zoo.common.data.manifests import digest
from zoo.common.runtime.keras_model import MODEL
from zoo.speech.audio.augmentation import Augmentation, random_noise
from zoo.speech.audio.reading import Source, read_audio, source_name
from zoo.speech.audio.recording import SUFFIXES, find_recordings
from zoo.speech.audio.silence import trim
from zoo.speech.data import EXAMPLE_CLIPS
from zoo.speech.detection.annotations import Event
from zoo.speech.detection.array_files import SUFFIX, read_array
from zoo.speech.detection.corpora.spectrogram import Spectrogram, read_manifest
from zoo.speech.detection.cutting import BACKGROUND, read_cuts
from zoo.speech.detection.formats import detection_formats
from zoo.speech.detection.frames import FRAMES, FrameTimes
from zoo.speech.detection.segments import CLIP_WINDOWS, spectrogram_segments
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.spec_augment import NO_MASKS, SpecAugment
from zoo.speech.features.spectrogram import mel_spectrogram

# A spectrogram float32 [frames, bands], and the classes of its frames, float32 [frames, classes].
Row = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Spectrograms(
    LabelledData,
    FileInputs,
    SegmentedInputs,
    OutputFormats,
    InputPlots,
    RawInputs,
    Baselines,
):
    """Spectrograms with one label each.

    Args:
        labels: the classes; if empty, they are taken from the examples of a run.
        features: settings of the spectrogram of a recording; see `mel_spectrogram`.
        top: highest value; each spectrogram is scaled to the range 0 to `top`.
        time_shift: maximum number of frames by which a training example is rolled in time.
        augmentation: changes of recordings, drawn for each example and epoch.
        spec_augment: masks, drawn for each example and epoch; masked values are set to the mean.
        window: duration in seconds of a segment of a long recording; of a longer training example, one
            segment is drawn in each epoch.
        background: class of generated noise, which is added in training, and of time without events in
            annotated recordings, where it is "none" if it is empty. It should be the `background` of the
            task.
        background_share: number of examples of noise in an epoch, as a share of the other examples.
        annotated_all: whether an annotation has all events, so that the rest is background.
    """

    input_example: ClassVar[str] = "recording.wav"

    labels: Labels = asset(Labels, file=LABELS_FILE)
    features: LogMel = field(default_factory=LogMel)
    top: float = 63.0
    time_shift: int = 0
    augmentation: Augmentation = field(default_factory=Augmentation)
    spec_augment: SpecAugment = NO_MASKS
    window: float = 2.0
    background: str = ""
    background_share: float = 0.0
    annotated_all: bool = True

    def __post_init__(self):
        check_range("data.top", self.top, above=0)
        check_range("data.window", self.window, at_least=0.1, at_most=60)
        check_range("data.time_shift", self.time_shift, at_least=0)
        check_range("data.background_share", self.background_share, at_least=0, at_most=10)
        if self.background_share and not self.background:
            raise ZooError("data.background_share needs data.background, the class of noise.")
        object.__setattr__(self, "labels", self.labels.with_unit("class"))

    # Reading

    def read_manifest(self, path: Path) -> list[Spectrogram]:
        """Return the examples of annotated recordings, of folders with a class each, or of a list.

        See `zoo.speech.detection.cutting.read_cuts` and `detection.corpora.spectrogram`.
        """
        background = (self.background or BACKGROUND) if self.annotated_all else None
        cuts = read_cuts(path, self.window, background)
        if cuts is None:
            return read_manifest(path)
        return [Spectrogram(**vars(cut)) for cut in cuts]

    def group_of(self, example: Spectrogram) -> Hashable:
        """Return the group of an example. An example without a group is a group of its own."""
        return example.group or example.id

    def checksum(self, examples: list[Spectrogram]) -> str:
        """Return a digest of ids, labels, and values or sizes of files."""
        return digest((e.id, e.label, _size_or_checksum(e)) for e in examples)

    def adapt(self, examples: list[Spectrogram], model: Any) -> tuple[Spectrograms, Any]:
        """Return data with the labels of the examples, and a model with the sizes of its tensors."""
        noise = [self.background] if self.background else []
        texts = {text for example in examples for text in self.label_texts(example)}
        labels = self.labels or Labels.of([*texts, *noise], "class")
        model = replace(
            model,
            bands=self.features.mel_bins,
            num_classes=labels.size,
            top=self.top,
            frame_outputs=model.frame_outputs or any(e.timeline for e in examples),
        )
        return replace(self, labels=labels), model

    def label_texts(self, example: Spectrogram) -> list[str]:
        """Return the class of an example, and those of the events around it."""
        return [example.label, *(event.label for event in example.timeline)]

    def filter_examples(
        self, examples: list[Spectrogram], model: Any
    ) -> tuple[list[Spectrogram], dict[str, int]]:
        """Return the readable examples, and the number of unreadable ones.

        Raises:
            ZooError: no example is readable, or a class is not among the labels.
        """
        for example in examples:
            self.labels.class_of(example)
        return keep_readable(
            examples, lambda example: self.read_example(example, model), "unreadable"
        )

    # Training

    def batches(
        self, examples: list[Spectrogram], model: Any, network: Any, epoch: Epoch
    ) -> Batches:
        """Return the training batches of an epoch, with random shifts and masks.

        x is the result of `collate`; y has `label` int32 [batch], and for a model with frames `frames`
        float32 [batch, frames, classes], see `FrameTimes.shares`.
        """
        labels = [self.labels.class_of(example) for example in examples]
        ids = [example.id for example in examples]
        noises = round(self.background_share * len(examples))
        if noises:
            labels += [self.labels.encode(self.background)[0]] * noises
            ids += [f"noise {i}" for i in range(noises)]

        def generate() -> Iterator[Batch]:
            generator = epoch.generator()
            rows = [self._training_row(e, model, generator) for e in examples]
            rows += [self._noise(model, generator) for _ in range(noises)]
            lengths = [len(values) for values, _ in rows]
            for indices in shuffled_windows(lengths, epoch.batch_size, generator):
                changed = [self.augment(*rows[i], generator) for i in indices]
                y = {"label": np.array([labels[i] for i in indices], np.int32)}
                if model.frame_outputs:
                    y[FRAMES], _ = pad([times.pooled(shares) for _, shares in changed])
                x = self.collate([{"spectrogram": values} for values, _ in changed])
                yield x, y, np.array([ids[i] for i in indices])

        x = {
            "spectrogram": ((None, None, self.features.mel_bins), "float32"),
            "lengths": ((None,), "int32"),
        }
        y: dict[str, tuple] = {"label": ((None,), "int32")}
        if model.frame_outputs:
            y[FRAMES] = ((None, None, len(self.labels)), "float32")
        times, steps = self.frame_times(model), -(-len(ids) // epoch.batch_size)
        return Batches(generate, (x, y), steps)

    def _training_row(
        self, example: Spectrogram, model: Any, generator: np.random.Generator
    ) -> Row:
        """Return a spectrogram of at most a window, with changed sound, and its classes."""
        rate, begin = self.features.sample_rate, 0.0
        if example.path is None or _is_array(example.path):
            values = self.read_example(example, model)["spectrogram"]
            values = self._part(values, self._window_frames, generator)
        else:
            if example.excerpt is not None:
                begin = example.excerpt.draw(generator)
                part = example.excerpt.read(example.path, rate, begin)
            else:
                waveform = _waveform(self, example.path, example.path.stat().st_mtime_ns, model)
                part = self._part(waveform, round(self.window * rate), generator)
            values = self._spectrogram(self.augmentation(part, rate, generator))
        times = self.frame_times(model)
        return values, times.shares(example.timeline, self.labels, begin, len(values))

    def _noise(self, model: Any, generator: np.random.Generator) -> Row:
        """Return the spectrogram of a noise of random length, at most a window, and its classes."""
        rate = self.features.sample_rate
        samples = round(self.window * rate * generator.uniform(0.25, 1))
        values = self._spectrogram(random_noise(samples, rate, generator).astype(np.float32))
        timeline = [Event(0.0, math.inf, self.background)]
        return values, self.frame_times(model).shares(timeline, self.labels, 0.0, len(values))

    def frame_times(self, model: Any) -> FrameTimes:
        """Return the times of the frames of a model."""
        hop = self.features.hop_samples / self.features.sample_rate
        return FrameTimes(hop, model.subsampling_factor)

    def frame_targets(self, example: Spectrogram, count: int, model: Any) -> np.ndarray:
        """Return the classes of the first frames of the result of `read_example`.

        Args:
            example: the example.
            count: number of frames of the model.
            model: its config.

        Returns:
            float32 [count, classes], see `FrameTimes.shares`.
        """
        times, begin = self.frame_times(model), example.excerpt.middle if example.excerpt else 0.0
        frames = count * times.factor
        return times.pooled(times.shares(example.timeline, self.labels, begin, frames))

    def _spectrogram(self, waveform: np.ndarray) -> np.ndarray:
        return mel_spectrogram(waveform, self.features, self.top)

    @property
    def _window_frames(self) -> int:
        return 1 + round(self.window * self.features.sample_rate) // self.features.hop_samples

    def _part(self, values: np.ndarray, size: int, generator: np.random.Generator) -> np.ndarray:
        """Return a random part of at most `size` frames or samples."""
        begin = int(generator.integers(max(0, len(values) - size) + 1))
        return values[begin : begin + size]

    def augment(
        self, values: np.ndarray, shares: np.ndarray, generator: np.random.Generator
    ) -> Row:
        """Return a spectrogram, rolled in time and masked with its mean, and its classes, rolled."""
        masks, mean = self.spec_augment, values.mean()
        shift = generator.integers(-self.time_shift, self.time_shift + 1)
        values, shares = (np.roll(rows, shift, axis=0) for rows in (values, shares))
        frames, bands = values.shape
        for _ in range(masks.freq_masks):
            values[:, _span(bands, min(masks.freq_width, bands - 1), generator)] = mean
        for _ in range(masks.time_masks):
            longest = min(masks.time_width, int(masks.time_share * frames))
            values[_span(frames, longest, generator)] = mean
        return values, shares

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.speech.detection.baselines import spectrogram_baselines

        return spectrogram_baselines(predictor, examples, seed)

    # Use

    def read_input(self, source: Source, model: Any) -> Item:
        """Return a recording or an array as `spectrogram` float32 [frames, bands].

        Args:
            source: a recording (see `zoo.speech.audio.reading.read_blocks`); or the path of a .npy file
                with a spectrogram [bands, frames], values from 0 to `top`, row 0 the lowest band.
            model: config of the model.

        Raises:
            ZooError: the recording cannot be read, or the array is invalid.
        """
        if _is_array(source):
            values = read_array(str(source)).T
        else:
            values = self._spectrogram(self.read_waveform(source, model))
        return {"spectrogram": self._checked(values, source_name(source), model.min_frames)}

    def read_waveform(self, source: Source, model: Any) -> np.ndarray:
        """Return a recording float32 [samples], without digital silence at its ends.

        Without a `dynamic_range` of the features, silence is kept. Raises `ZooError` as `read_audio`.
        """
        features = self.features
        min_seconds = model.min_frames * features.hop_samples / features.sample_rate
        waveform = read_audio(
            source, features.sample_rate, min_seconds=min_seconds, allow_silence=True
        )
        if features.dynamic_range is None or not waveform.any():
            return waveform
        at_least = max(features.window_samples, model.min_frames * features.hop_samples)
        return trim(waveform, features.sample_rate, at_least, low_noise=False)[0]

    def find_inputs(self, source: str) -> list[str]:
        """Return the recordings and arrays of a path."""
        return find_recordings(source, (*SUFFIXES, SUFFIX))

    def segments(self, source: Source, model: Any) -> Segments | None:
        """Return windows of a long recording; None for an array, which is always one clip.

        For a model with frames, every recording with enough frames is long.
        """
        if _is_array(source):
            return None
        max_clip = CLIP_WINDOWS * self.window
        if model.frame_outputs:
            max_clip = model.min_frames * self.frame_times(model).hop
        return spectrogram_segments(source, self.features, self.top, self.window, max_clip)

    def formats(self, task: Any, model: Any, decoder: Any) -> dict[str, Format]:
        """Return the formats of detections."""
        return detection_formats(task, decoder, len(self.labels), self.features)

    def plot_input(
        self, predictor: Predictor[Any, Any, Any], task: Any, source: Source, path: Path
    ) -> None:
        """Draw the detections in an input; see `plot_detections`."""
        from zoo.speech.detection.plots import plot_clip, plot_detections

        if _is_array(source):
            item, name = self.read_input(source, predictor.model), Path(source_name(source)).name
            plot_clip(predictor, task, item, name, path, self.features)
        else:
            plot_detections(predictor, task, source, path, self.features)

    def read_example(self, example: Spectrogram, model: Any) -> Item:
        if example.path is not None and example.excerpt is not None:
            part = example.excerpt.read(example.path, self.features.sample_rate)
            values = self._spectrogram(part)
        elif example.path is not None:
            return self.read_input(example.path, model)
        else:
            values = np.asarray(example.values)
        return {"spectrogram": self._checked(values, example.id, model.min_frames)}

    def _checked(self, values: np.ndarray, name: str, min_frames: int) -> np.ndarray:
        bands = self.features.mel_bins
        if values.ndim != 2 or values.shape[1] != bands or len(values) < min_frames:
            raise ZooError(
                f"{name}: a spectrogram must have {bands} bands and at least {min_frames} frames. "
                f"Received: [bands, frames] = {list(values.shape[::-1])}."
            )
        if not (values.min() >= 0 and values.max() <= self.top):  # false for NaN
            raise ZooError(
                f"{name}: values must be from 0 to {self.top:g}. "
                f"Received: {values.min():g} to {values.max():g}."
            )
        return values.astype(np.float32)

    def sort_key(self, example: Spectrogram) -> float:
        """Return the duration of a recording in seconds, or the number of frames of an array."""
        return example.seconds if example.values is None else len(example.values)

    def input_metadata(self, item: Item) -> dict[str, Any]:
        """Return the duration as `seconds`."""
        hop = self.features.hop_samples / self.features.sample_rate
        return {"seconds": round((len(item["spectrogram"]) - 1) * hop, 3)}

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """Return `spectrogram` float32 [batch, frames, bands] and `lengths` int32 [batch]."""
        spectrogram, lengths = pad([item["spectrogram"] for item in items])
        return {"spectrogram": spectrogram, "lengths": lengths}

    # Export

    def export_metadata(self, model: Any) -> dict[str, Any]:
        """Return the classes, the highest value and the minimum number of frames."""
        limits = {"top": self.top, "min_frames": model.min_frames}
        return self.labels.export_metadata() | limits

    def raw_inputs(self, model: Any, decoder: Any) -> dict[str, RawInput]:
        """Return the raw input: spectrograms with lengths."""
        from zoo.common.data.sequence_input import sequence_input

        bands = self.features.mel_bins
        entry = sequence_input("spectrogram", (bands,), "frames", model.min_frames)
        return {"serving_default": entry}

    def example_inputs(self, model: Any, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return the spectrograms of the example clips, one by one and as one batch."""
        items = [self.read_input(clip, model) for clip in EXAMPLE_CLIPS]
        batches = [self.collate([item]) for item in items] + [self.collate(items)]
        return {"serving_default": batches, MODEL: batches}


def _is_array(source: Source) -> bool:
    return isinstance(source, str | Path) and Path(source).suffix.lower() == SUFFIX


@functools.lru_cache(maxsize=4096)
def _waveform(data: Spectrograms, path: Path, changed: int, model: Any) -> np.ndarray:
    """Return the recording in a file with the modification time `changed`, read once."""
    return data.read_waveform(path, model)


def _span(size: int, longest: int, generator: np.random.Generator) -> slice:
    length = int(generator.integers(longest + 1))
    begin = int(generator.integers(size - length + 1))
    return slice(begin, begin + length)


def _size_or_checksum(example: Spectrogram) -> int:
    if example.path is not None:
        return example.path.stat().st_size
    return zlib.crc32(np.ascontiguousarray(example.values).tobytes())
