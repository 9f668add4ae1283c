"""Recordings as data: common code of recognition and classification."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.capabilities import (
    FileInputs,
    InputPlots,
    OutputFormats,
    RawInput,
    RawInputs,
    Segment,
    SegmentedInputs,
)
from zoo.common.core.data import Batches, Epoch, Item
from zoo.common.core.decoder import option
from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.core.settings import asset
from zoo.common.ctc.alignment import min_frames
from zoo.common.data.batching import pad
from zoo.common.data.labels import LABELS_FILE, LabelledData, Labels
from zoo.common.data.manifests import digest
from zoo.common.runtime.keras_model import MODEL
from zoo.common.utils.progress import progress
from zoo.speech.acoustic import AcousticModel
from zoo.speech.audio.augmentation import Augmentation
from zoo.speech.audio.excerpts import Excerpt
from zoo.speech.audio.reading import SilentError, Source, check_waveform, read_audio
from zoo.speech.audio.recording import find_recordings
from zoo.speech.audio.segmentation import Span
from zoo.speech.audio.silence import trim, trim_batch
from zoo.speech.features.spec_augment import SpecAugment
from zoo.speech.pipeline import TrainingInput, training_batches

# Recordings that are part of the package (AN4's licence allows it).
EXAMPLE_CLIPS = sorted((Path(__file__).parent / "samples").glob("*.flac"))

GROUPS = ("speaker", "utterance")


@dataclass(frozen=True)
class Recordings(LabelledData, FileInputs, SegmentedInputs, OutputFormats, InputPlots, RawInputs):
    """Base class of recordings, each with a text or a label. The model is an `AcousticModel`.

    Examples are of a subclass of `zoo.speech.utterance.Recorded`.

    Args:
        target: kind of the labels: one of `targets`.
        labels: symbols of texts, or classes; if empty, they are taken from the examples of a run.
        split_by: "speaker", if dev and train have no speaker in common; or "utterance", if the speakers
            of the test split are those of train.
        speed_perturbation: factors of speed; one is drawn for each example and epoch (Ko et al. 2015).
        augmentation: changes of the sound, drawn for each example and epoch.
        spec_augment: masks, drawn for each example and epoch.
        max_seconds: maximum duration of a recording in training; longer ones are left out.
        window: duration in seconds of a part of a long recording that has one label.
        audio_column: column of the files in lists of recordings; None for a known name.
        text_column: column of the texts or labels; None for a known name.
    """

    input_example: ClassVar[str] = "hello.wav"

    free_axes: ClassVar[Mapping[str, tuple[str, ...]]] = {"waveform": ("samples",)}

    # The unit of the labels for each valid target.
    targets: ClassVar[Mapping[str, str]]
    # The attribute of an example that has its text or label.
    reference: ClassVar[str]
    # The verb in the names of signatures.
    verb: ClassVar[str]
    # The field of the model config with the size of its output.
    size_field: ClassVar[str]
    # Whether low noise at both ends of a recording is trimmed, in addition to digital silence.
    trims_low_noise: ClassVar[bool]
    # Shape and dtype of the targets of a batch.
    target_spec: ClassVar[dict[str, tuple]]

    target: str
    labels: Labels = asset(Labels, file=LABELS_FILE)
    split_by: str = "speaker"
    speed_perturbation: tuple[float, ...] = (1.0,)
    augmentation: Augmentation = field(default_factory=Augmentation)
    spec_augment: SpecAugment = field(default_factory=SpecAugment)
    max_seconds: float = 30.0
    window: float = 1.5
    audio_column: str | None = option(None, "column of the files in a list of recordings")
    text_column: str | None = option(None, "column of the transcripts or labels in such a list")

    def __post_init__(self):
        check_choice("data.target", self.target, self.targets)
        check_choice("data.split_by", self.split_by, GROUPS)
        check_range("data.max_seconds", self.max_seconds, above=0)
        check_range("data.window", self.window, at_least=0.1, at_most=60)
        if not self.speed_perturbation:
            raise ZooError("data.speed_perturbation must have a factor. Received: ().")
        for speed in self.speed_perturbation:
            check_range("data.speed_perturbation", speed, at_least=0.5, at_most=2)
        object.__setattr__(self, "labels", self.labels.with_unit(self.unit))

    @property
    def unit(self) -> str:
        """The unit of the labels."""
        return self.targets[self.target]

    # Of subclasses

    @abstractmethod
    def collate_targets(self, targets: list[list[int]]) -> dict[str, np.ndarray]:
        """Return the y of a batch.

        Args:
            targets: result of `encode` for each example.
        """

    # Reading

    def group_of(self, example: Any) -> Hashable:
        """Return the speaker or the id of an example; see `split_by`.

        Parts of one file are in one group, unless their speaker is known.
        """
        if self.split_by == "speaker" and (example.speaker or not example.excerpt):
            return example.speaker
        return example.audio.name if example.excerpt else example.id

    def checksum(self, examples: list[Any]) -> str:
        """Return a digest of ids, texts or labels, sizes of audio files, and times of parts."""
        return digest(
            (
                e.id,
                self._text(e),
                e.audio.stat().st_size,
                *(astuple(e.excerpt) if e.excerpt else ()),
            )
            for e in examples
        )

    def adapt(self, examples: list[Any], model: Any) -> tuple[Recordings, Any]:
        """Return data with the labels of the examples, and a model with the size of its output."""
        labels = self.labels or Labels.of(map(self._text, examples), self.unit)
        return replace(self, labels=labels), replace(model, **{self.size_field: labels.size})

    def filter_examples(
        self, examples: list[Any], model: AcousticModel
    ) -> tuple[list[Any], dict[str, int]]:
        """Return the usable examples, and the number of examples left out by reason.

        Recordings are left out that are unreadable, too long, or too short for their labels.

        Raises:
            ZooError: no example is usable, or a text has symbols that are not among the labels.
        """
        max_samples = self.max_seconds * model.features.sample_rate
        fastest = max(self.speed_perturbation)

        def check(example: Any) -> str | None:
            try:
                samples = len(self.read_example(example, model)["waveform"])
            except SilentError:
                return "silent"
            except ZooError:
                return "unreadable"
            if samples > max_samples:
                return f"longer than {self.max_seconds:g} s"
            if model.frames(int(samples / fastest)) < min_frames(self.encode(example)):
                return f"too short for its {self.reference}"
            return None

        for example in examples:
            self.encode(example)
        with ThreadPoolExecutor() as pool:
            checks = pool.map(check, examples)
            reasons = list(progress(checks, "Checking clips", len(examples), "clip"))
        kept = [e for e, reason in zip(examples, reasons, strict=True) if reason is None]
        left_out = Counter(reason for reason in reasons if reason is not None)
        if not kept:
            counts = ", ".join(f"{count} {reason}" for reason, count in left_out.items())
            raise ZooError(f"No clip is usable: {counts} of {len(examples)} clips.")
        return kept, dict(left_out)

    def encode(self, example: Any) -> list[int]:
        """Return the labels of an example.

        Raises:
            ZooError: a symbol is not among the labels. The message names the example.
        """
        try:
            return self.labels.encode(self._text(example))
        except ZooError as error:
            raise ZooError(f"The {self.reference} of {example.id!r}: {error}") from None

    def label_texts(self, example: Any) -> Sequence[str]:
        return [self._text(example)]

    def _text(self, example: Any) -> str:
        return getattr(example, self.reference)

    # Training

    def batches(
        self, examples: list[Any], model: AcousticModel, network: Any, epoch: Epoch
    ) -> Batches:
        """Return the training batches of an epoch; see `zoo.speech.pipeline.training_batches`."""
        inputs = [
            TrainingInput(
                example.id,
                example.seconds,
                partial(self.training_waveform, example, model, epoch),
                self.encode(example),
            )
            for example in examples
        ]
        return training_batches(
            inputs,
            model,
            network,
            epoch,
            speeds=self.speed_perturbation,
            augmentation=self.augmentation,
            spec_augment=self.spec_augment,
            target_spec=self.target_spec,
            collate_targets=self.collate_targets,
        )

    def training_waveform(self, example: Any, model: AcousticModel, epoch: Epoch) -> np.ndarray:
        """Return the waveform of an example in an epoch, float32 [samples]."""
        return self.read_example(example, model)["waveform"]

    # Use

    def read_input(self, source: Source, model: AcousticModel) -> Item:
        """Return a recording as `waveform` float32 [samples]; see `item`.

        Args:
            source: a path, bytes of a file, or `(waveform, sample_rate)`; see
                `zoo.speech.audio.reading.read_blocks`.
            model: config of the model.
        """
        features = model.features
        waveform = read_audio(source, features.sample_rate, min_seconds=features.min_seconds)
        return self.item(waveform, model)

    def item(self, waveform: np.ndarray, model: AcousticModel) -> Item:
        """Return a waveform as model input.

        Args:
            waveform: float32 [samples], not silent, at the rate of the model.
            model: config of the model.

        Returns:
            `waveform` float32 [samples], without silence at both ends if the model normalizes features
            over the whole recording; `begin`, the trimmed time at its begin in seconds; `seconds`, the
            duration of the whole recording.
        """
        features, trimmed, begin = model.features, waveform, 0
        if trims(model):
            rate, at_least = features.sample_rate, features.window_samples
            trimmed, begin = trim(waveform, rate, at_least, self.trims_low_noise)
        rate = features.sample_rate
        return {"waveform": trimmed, "begin": begin / rate, "seconds": len(waveform) / rate}

    def segment(self, span: Span, model: AcousticModel) -> Iterator[Segment]:
        """Yield a span of samples as a segment, unless it is too short for the model."""
        (first, samples), features = span, model.features
        if len(samples) >= features.window_samples and model.frames(len(samples)) > 0:
            end = first + len(samples)
            item = self.item(samples, model)
            yield Segment(first / features.sample_rate, end / features.sample_rate, item)

    def find_inputs(self, source: str) -> list[str]:
        return find_recordings(source)

    def read_example(self, example: Any, model: AcousticModel) -> Item:
        if example.excerpt is None:
            return self.read_input(example.audio, model)
        return self.read_excerpt(example, example.excerpt, model)

    def read_excerpt(
        self,
        example: Any,
        excerpt: Excerpt,
        model: AcousticModel,
        generator: np.random.Generator | None = None,
    ) -> Item:
        """Return an excerpt of the recording of an example; see `item`. `generator` draws its begin."""
        features = model.features
        begin = None if generator is None else excerpt.draw(generator)
        waveform = excerpt.read(example.audio, features.sample_rate, begin)
        check_waveform(waveform, features.sample_rate, example.id, min_seconds=features.min_seconds)
        return self.item(waveform, model)

    def sort_key(self, example: Any) -> float:
        """Return the duration in seconds."""
        return example.seconds

    def input_metadata(self, item: Item) -> dict[str, Any]:
        """Return the duration as `seconds`."""
        return {"seconds": item["seconds"]}

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """Return `waveform` float32 [batch, samples] and `lengths` int32 [batch]."""
        waveform, lengths = pad([item["waveform"] for item in items])
        return {"waveform": waveform, "lengths": lengths}

    # Export

    def export_metadata(self, model: AcousticModel) -> dict[str, Any]:
        """Return the labels, the sample rate in Hz, and the minimum number of samples."""
        rate, at_least = model.features.sample_rate, model.features.window_samples
        return self.labels.export_metadata() | {"sample_rate": rate, "min_samples": at_least}

    def raw_inputs(self, model: AcousticModel, decoder: Any) -> dict[str, RawInput]:
        """Return the raw inputs: waveforms with lengths, and the bytes of WAV files."""
        from zoo.speech.signatures import wav_input, waveform_input

        prepare = partial(self._trim_in_graph, model) if trims(model) else None
        return {
            "serving_default": waveform_input(model.features, prepare),
            f"{self.verb}_wav": wav_input(model.features, prepare),
        }

    def _trim_in_graph(self, model: AcousticModel, waveform: Any, lengths: Any) -> dict[str, Any]:
        """Return model inputs trimmed as in `item`, inside a graph."""
        features = model.features
        trimmed, kept = trim_batch(
            waveform, lengths, features.sample_rate, features.window_samples, self.trims_low_noise
        )
        return {"waveform": trimmed, "lengths": kept}

    def example_inputs(self, model: AcousticModel, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return the example clips, one by one and as one batch."""
        import tensorflow as tf

        items = [self.read_input(clip, model) for clip in EXAMPLE_CLIPS]
        waveforms = [self.collate([item]) for item in items] + [self.collate(items)]
        rate = model.features.sample_rate
        files = [tf.audio.encode_wav(i["waveform"][:, None], rate).numpy() for i in items]
        return {
            "serving_default": waveforms,
            MODEL: waveforms,
            f"{self.verb}_wav": [{"wav": [file]} for file in files] + [{"wav": files}],
        }


def trims(model: AcousticModel) -> bool:
    """Return whether silence at both ends of a recording is trimmed.

    Running normalization does not depend on later frames, so its recordings are not trimmed.
    """
    return model.features.normalization != "running"
