"""Recordings as data: with a text that is said in them, or with a label."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.data import Batches, Data, Item, RawInput, Segments
from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.core.formats import Format
from zoo.common.core.model import Graphs, ModelConfig
from zoo.common.core.recipe import Recipe, asset
from zoo.common.ctc.alignment import min_frames
from zoo.common.data.batching import pad
from zoo.common.data.labels import LABELS_FILE, Labels
from zoo.common.data.manifests import digest
from zoo.common.data.splits import split_by_group
from zoo.common.runtime.keras_model import MODEL
from zoo.common.utils.files import read_text
from zoo.common.utils.progress import progress, say
from zoo.speech.audio.reading import read_audio
from zoo.speech.audio.silence import trim, trim_batch
from zoo.speech.detection.formats import detection_formats
from zoo.speech.features.spec_augment import SpecAugment
from zoo.speech.recognition.streaming import STEP, Stream, step_inputs
from zoo.speech.recognition.subtitles import subtitle_formats
from zoo.speech.recordings import find_recordings, sound_segments, speech_segments
from zoo.speech.utterance import Utterance, read_manifest

# Real clips that travel with the package (AN4's licence allows it).
EXAMPLE_CLIPS = sorted((Path(__file__).parents[1] / "samples").glob("*.flac"))

# What a transcript is, and the unit of its labels.
TARGETS = {"characters": "character", "words": "word", "label": "class"}
GROUPS = ("speaker", "utterance")

NO_MASKS = SpecAugment(freq_masks=0, time_masks=0)


@dataclass(frozen=True)
class Utterances(Data):
    """Recordings, each with a transcript. The model is an `AcousticModel`.

    target: str. What a transcript is: "characters" or "words", a text in symbols of that kind (phonemes
        are words: symbols between white space); "label", one class for the whole recording.
    labels: Labels. The symbols or classes. Empty: taken from the transcripts of the run.
    split_by: str. What dev shares nothing of with train: "speaker", or "utterance" where the speakers
        of the test split are those of train.
    speed_perturbation: factors of speed, one drawn for each utterance in each epoch (Ko et al. 2015).
    spec_augment: SpecAugment. Masks drawn for each utterance in each epoch.
    max_seconds: float. Longer clips are left out of training.
    window: float. Seconds of a long recording that one label is for.
    """

    input_example: ClassVar[str] = "hello.wav"

    free_axes: ClassVar[Mapping[str, tuple[str, ...]]] = {"waveform": ("samples",)}

    target: str = "characters"
    labels: Labels = asset(Labels())
    split_by: str = "speaker"
    speed_perturbation: tuple[float, ...] = (1.0,)
    spec_augment: SpecAugment = field(default_factory=SpecAugment)
    max_seconds: float = 30.0
    window: float = 1.5

    def __post_init__(self):
        check_choice("data.target", self.target, TARGETS)
        check_choice("data.split_by", self.split_by, GROUPS)
        check_range("data.max_seconds", self.max_seconds, above=0)
        check_range("data.window", self.window, at_least=0.1, at_most=60)
        if not self.speed_perturbation:
            raise ZooError("data.speed_perturbation must have a factor. Received: ().")
        for speed in self.speed_perturbation:
            check_range("data.speed_perturbation", speed, at_least=0.5, at_most=2)
        if len(self.labels) and self.labels.unit != self.unit:
            raise ZooError(
                f"The labels of data.target {self.target!r} must be of the unit {self.unit!r}. "
                f"Received: {self.labels.unit!r}."
            )

    @property
    def unit(self) -> str:
        """The unit of the labels."""
        return TARGETS[self.target]

    # Reading

    def read_manifest(self, path: Path) -> list[Utterance]:
        """See `zoo.speech.utterance.read_manifest`."""
        return read_manifest(path)

    def split_dev(
        self, examples: list[Utterance], fraction: float, seed: int
    ) -> tuple[list[Utterance], list[Utterance]]:
        """See `Data.split_dev`. By speaker: no voice is in both. Where there are not two, it is by
        utterance, and that is said."""
        group = {"speaker": lambda e: e.speaker, "utterance": lambda e: e.id}[self.split_by]
        parts = split_by_group(examples, group, fraction, seed)
        if self.split_by == "speaker" and len({example.speaker for example in examples}) < 2:
            say(
                "There are not two speakers to tell apart: dev is cut by utterance, and its figures are "
                "not those of new voices."
            )
        return parts

    def checksum(self, examples: list[Utterance]) -> str:
        """See `Data.checksum`: of ids, transcripts and sizes of audio files."""
        return digest((e.id, e.transcript, e.audio.stat().st_size) for e in examples)

    def adapt(
        self, examples: list[Utterance], model: ModelConfig
    ) -> tuple[Utterances, ModelConfig]:
        """See `Data.adapt`: the labels, from the transcripts, and the size of the model's output."""
        labels = self.labels
        if not len(labels):
            labels = Labels.of((e.transcript for e in examples), self.unit)
        size = "num_classes" if self.target == "label" else "vocabulary_size"
        return replace(self, labels=labels), replace(model, **{size: labels.size})

    def filter_examples(
        self, examples: list[Utterance], recipe: Recipe
    ) -> tuple[list[Utterance], dict[str, int]]:
        """See `Data.filter_examples`.

        Leaves out clips that cannot be read, are too long, or are too short for their labels. Raises
        `ZooError` too if a transcript has symbols that are not among the labels.
        """
        rate = recipe.model.features.sample_rate

        def check(example: Utterance) -> str | None:
            try:
                samples = len(self.read_example(example, recipe)["waveform"])
            except ZooError:
                return "unreadable"
            if samples > self.max_seconds * rate:
                return f"longer than {self.max_seconds:g} s"
            # At the fastest speed drawn in training there must still be a frame for every label.
            frames = recipe.model.frames(int(samples / max(self.speed_perturbation)))
            if frames < min_frames(self.encode(example)):
                return "too short for its transcript"
            return None

        for example in examples:
            self.encode(example)
        with ThreadPoolExecutor() as pool:
            checks = pool.map(check, examples)
            reasons = list(progress(checks, "Checking clips", len(examples), "clip"))
        kept = [e for e, reason in zip(examples, reasons, strict=True) if reason is None]
        left_out = Counter(filter(None, reasons))
        if not kept:
            counts = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
            raise ZooError(f"No clip can be learnt from: {counts} of {len(examples)} clips.")
        return kept, dict(left_out)

    def encode(self, example: Utterance) -> list[int]:
        """Return the labels of a transcript. Raises `ZooError` for a symbol that has none."""
        try:
            return self.labels.encode(example.transcript)
        except ZooError as error:
            raise ZooError(f"The transcript of {example.id!r}: {error}") from None

    # Learning

    def batches(self, model: Any, recipe: Recipe, examples: list[Utterance], epoch: int) -> Batches:
        """See `Data.batches` and `zoo.speech.pipeline.training_batches`."""
        from zoo.speech.pipeline import training_batches

        labels = [np.array(self.encode(example), np.int32) for example in examples]
        targets = [row[0] for row in labels] if self.target == "label" else labels
        return training_batches(examples, targets, recipe.model.front_end(model), recipe, epoch)

    def steps_per_epoch(self, recipe: Recipe, examples: list[Utterance]) -> int:
        """See `Data.steps_per_epoch`: counted by bucket, at the speed of the recordings."""
        from zoo.speech.pipeline import bucket

        features, size = recipe.model.features, recipe.training.batch_size
        frames = (features.frames(int(e.seconds * features.sample_rate)) for e in examples)
        return sum(-(-count // size) for count in Counter(map(bucket, frames)).values())

    # Use

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """See `Data.read_input`: `waveform` float32 [samples] of a recording by its path."""
        features = recipe.model.features
        waveform = read_audio(source, features.sample_rate, min_seconds=features.min_seconds)
        return self.item(waveform, recipe)

    def item(self, waveform: np.ndarray, recipe: Recipe) -> Item:
        """Return a recording as the model takes it.

        Args:
            waveform: float32 [samples], not silent, at the rate of the model.

        Returns:
            `waveform` float32 [samples] without the silence around it, where the model normalises over
            all that it hears; `begin`, the seconds taken off its start; `seconds`, all there were.
        """
        rate, trimmed, begin = recipe.model.features.sample_rate, waveform, 0
        if trims(recipe):
            least = recipe.model.features.window_samples
            trimmed, begin = trim(waveform, rate, least, self.target != "label")
        return {"waveform": trimmed, "begin": begin / rate, "seconds": len(waveform) / rate}

    def stream(self, graphs: Graphs, recipe: Recipe, sample_rate: int | None = None) -> Stream:
        """See `Data.stream` and `zoo.speech.recognition.streaming.Stream`."""
        return Stream(graphs, recipe, sample_rate)

    def find_inputs(self, source: str) -> list[str]:
        """See `Data.find_inputs` and `zoo.speech.recordings.find_recordings`."""
        return find_recordings(source)

    def segments(self, source: str, recipe: Recipe) -> Segments | None:
        """See `Data.segments`: speech between pauses, or windows of sound for a label each."""
        if self.target == "label":
            return sound_segments(source, recipe, self.window)
        return speech_segments(source, recipe)

    def formats(self, recipe: Recipe) -> dict[str, Format]:
        """See `Data.formats`: subtitles of a text, or files of detections."""
        if self.target == "label":
            return detection_formats(recipe, recipe.model.features)
        return subtitle_formats()

    def plot(self, graphs: Graphs, recipe: Recipe, source: str, path: Path) -> None:
        """See `Data.plot`: the spikes of a text, or where a label was heard."""
        from zoo.speech.detection.plots import plot_detections
        from zoo.speech.recognition.plots import plot_spikes

        if self.target == "label":
            plot_detections(graphs, recipe, source, path, recipe.model.features)
        else:
            plot_spikes(graphs, recipe, source, path)

    def read_example(self, example: Utterance, recipe: Recipe) -> Item:
        """See `Data.read_example` and `read_input`."""
        return self.read_input(str(example.audio), recipe)

    def length(self, example: Utterance) -> float:
        """See `Data.length`: in seconds."""
        return example.seconds

    def about_input(self, item: Item, recipe: Recipe) -> dict[str, Any]:
        """See `Data.about_input`: `seconds`."""
        return {"seconds": item["seconds"]}

    def collate(self, items: Iterable[Item]) -> dict[str, np.ndarray]:
        """See `Data.collate`: `waveform` float32 [batch, samples] and `lengths` int32 [batch]."""
        waveform, lengths = pad([item["waveform"] for item in items])
        return {"waveform": waveform, "lengths": lengths}

    # Delivery

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`: the labels, the rate in Hz, and the samples that a frame needs."""
        features = recipe.model.features
        rates = {"sample_rate": features.sample_rate, "min_samples": features.window_samples}
        return self.labels.facts() | rates

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: waveforms with lengths, and the bytes of WAV files."""
        from zoo.speech.signatures import wav_input, waveform_input

        features = recipe.model.features
        prepare = partial(_trim_in_graph, recipe, self.target) if trims(recipe) else None
        return {
            "serving_default": waveform_input(features, prepare),
            f"{recipe.task.verb}_wav": wav_input(features, prepare),
        }

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: the shipped clips, one by one and as one batch."""
        import tensorflow as tf

        items = [self.read_input(str(clip), recipe) for clip in EXAMPLE_CLIPS]
        waveforms = [self.collate([item]) for item in items] + [self.collate(items)]
        rate = recipe.model.features.sample_rate
        files = [tf.audio.encode_wav(i["waveform"][:, None], rate).numpy() for i in items]
        return {
            "serving_default": waveforms,
            MODEL: waveforms,
            STEP: step_inputs(recipe, waveforms[-1]["waveform"]),
            f"{recipe.task.verb}_wav": [{"wav": [file]} for file in files] + [{"wav": files}],
        }

    def assets(self) -> dict[str, str]:
        """See `Data.assets`: a line for each label."""
        return {LABELS_FILE: self.labels.to_text()}

    def with_assets(self, folder: Path) -> Utterances:
        """See `Data.with_assets`."""
        path = folder / LABELS_FILE
        return replace(self, labels=Labels.from_text(read_text(path), path, self.unit))


def trims(recipe: Recipe) -> bool:
    """Whether silence around a recording is taken off: a model whose mean and deviation are of the
    frames so far needs no end of it, and hears all."""
    return recipe.model.features.normalization != "running"


def _trim_in_graph(recipe: Recipe, target: str, waveform: Any, lengths: Any) -> dict[str, Any]:
    """The inputs of a model, trimmed as `Utterances.item` does, inside a graph.

    A recording of nothing but silence has no length, and so no text; for a class it stays as it is.
    """
    from keras import ops

    features = recipe.model.features
    args = (features.sample_rate, features.window_samples, target != "label")
    trimmed, kept = trim_batch(waveform, lengths, *args)
    if target == "label":
        silent = kept == 0
        trimmed = ops.where(silent[:, None], waveform, trimmed)
        kept = ops.where(silent, lengths, kept)
    return {"waveform": trimmed, "lengths": kept}
