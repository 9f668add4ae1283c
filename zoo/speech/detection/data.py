"""Recordings with labels as data."""

from __future__ import annotations

import zlib
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import Segments
from zoo.common.core.data import Epoch
from zoo.common.core.formats import Format
from zoo.common.core.predictor import Predictor
from zoo.speech.acoustic import AcousticModel
from zoo.speech.audio.reading import Source
from zoo.speech.data import Recordings
from zoo.speech.detection.cutting import BACKGROUND, read_cuts
from zoo.speech.detection.formats import detection_formats
from zoo.speech.detection.segments import WORD_MARGIN, sound_segments
from zoo.speech.manifests import ManifestReader
from zoo.speech.utterance import LabelledRecording, labelled_recording


@dataclass(frozen=True)
class LabelledRecordings(Recordings, Baselines):
    """Recordings with one label each, for classification.

    Args:
        target: "label".
        labels: as in `Recordings`.
        split_by: as in `Recordings`.
        speed_perturbation: as in `Recordings`.
        augmentation: as in `Recordings`.
        spec_augment: as in `Recordings`.
        max_seconds: as in `Recordings`.
        window: as in `Recordings`.
        annotated_all: whether an annotation has all events, so that the rest is background, the class
            "none".
        audio_column: as in `Recordings`.
        text_column: as in `Recordings`.
    """

    targets: ClassVar[Mapping[str, str]] = {"label": "class"}
    reference: ClassVar[str] = "label"
    verb: ClassVar[str] = "classify"
    size_field: ClassVar[str] = "num_classes"
    trims_low_noise: ClassVar[bool] = False
    target_spec: ClassVar[dict[str, tuple]] = {"label": ((None,), "int32")}

    target: str = "label"
    annotated_all: bool = True

    def read_manifest(self, path: Path) -> list[LabelledRecording]:
        """Return the examples of annotated recordings, of folders with a class each, or of a list.

        See `zoo.speech.detection.cutting.read_cuts` and `zoo.speech.manifests.ManifestReader`.
        """
        background = BACKGROUND if self.annotated_all else None
        cuts = read_cuts(path, self.window, background, WORD_MARGIN)
        if cuts is None:
            return ManifestReader(labelled_recording, self.audio_column, self.text_column).read(
                path
            )
        return [
            LabelledRecording(
                cut.id,
                cut.path,
                split=cut.split,
                seconds=cut.seconds,
                label=cut.label,
                group=cut.group,
                excerpt=cut.excerpt,
            )
            for cut in cuts
        ]

    def group_of(self, example: LabelledRecording) -> Hashable:
        """Return the group of an example if it has one; else as in `Recordings`."""
        return example.group or super().group_of(example)

    def training_waveform(
        self, example: LabelledRecording, model: AcousticModel, epoch: Epoch
    ) -> np.ndarray:
        """Return the waveform of an example in an epoch; the begin of an excerpt is drawn."""
        if example.excerpt is None:
            return super().training_waveform(example, model, epoch)
        seed = (epoch.seed, epoch.number, zlib.crc32(example.id.encode()))
        generator = np.random.default_rng(seed)
        return self.read_excerpt(example, example.excerpt, model, generator)["waveform"]

    def collate_targets(self, targets: list[list[int]]) -> dict[str, np.ndarray]:
        """Return `label` int32 [batch]."""
        return {"label": np.array([label for (label,) in targets], np.int32)}

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.speech.detection.baselines import waveform_baselines

        return waveform_baselines(predictor, examples, seed)

    def segments(self, source: Source, model: AcousticModel) -> Segments | None:
        """Return a long recording as sounds between pauses; see `sound_segments`."""
        rate = model.features.sample_rate
        return sound_segments(source, rate, self.window, partial(self.segment, model=model))

    def formats(self, task: Any, model: AcousticModel, decoder: Any) -> dict[str, Format]:
        """Return the formats of detections."""
        return detection_formats(task, decoder, len(self.labels), model.features.spectrogram)

    def plot_input(
        self, predictor: Predictor[Any, Any, Any], task: Any, source: Source, path: Path
    ) -> None:
        """Draw the detections in a recording; see `plot_detections`."""
        from zoo.speech.detection.plots import plot_detections

        plot_detections(predictor, task, source, path, predictor.model.features.spectrogram)

    def _trim_in_graph(self, model: AcousticModel, waveform: Any, lengths: Any) -> dict[str, Any]:
        """Return model inputs trimmed as in `item`. A silent recording is not trimmed."""
        from keras import ops

        trimmed = super()._trim_in_graph(model, waveform, lengths)
        silent = trimmed["lengths"] == 0
        return {
            "waveform": ops.where(silent[:, None], waveform, trimmed["waveform"]),
            "lengths": ops.where(silent, lengths, trimmed["lengths"]),
        }
