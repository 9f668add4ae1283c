"""Recordings with labels as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import Segments
from zoo.common.core.formats import Format
from zoo.common.core.predictor import Predictor
from zoo.speech.acoustic import AcousticModel
from zoo.speech.audio.reading import Source
from zoo.speech.data import Recordings
from zoo.speech.detection.formats import detection_formats
from zoo.speech.detection.segments import sound_segments
from zoo.speech.utterance import LabelledRecording, labelled_recording, read_manifest


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
    """

    targets: ClassVar[Mapping[str, str]] = {"label": "class"}
    reference: ClassVar[str] = "label"
    verb: ClassVar[str] = "classify"
    size_field: ClassVar[str] = "num_classes"
    trims_low_noise: ClassVar[bool] = False
    target_spec: ClassVar[dict[str, tuple]] = {"label": ((None,), "int32")}

    target: str = "label"

    def read_manifest(self, path: Path) -> list[LabelledRecording]:
        """Return the recordings of a manifest; see `zoo.speech.utterance.read_manifest`."""
        return read_manifest(path, labelled_recording)

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
        return detection_formats(task, decoder, len(self.labels), model.features)

    def plot_input(
        self, predictor: Predictor[Any, Any, Any], task: Any, source: Source, path: Path
    ) -> None:
        """Draw the detections in a recording; see `plot_detections`."""
        from zoo.speech.detection.plots import plot_detections

        plot_detections(predictor, task, source, path, predictor.model.features)

    def _trim_in_graph(self, model: AcousticModel, waveform: Any, lengths: Any) -> dict[str, Any]:
        """Return model inputs trimmed as in `item`. A silent recording is not trimmed."""
        from keras import ops

        trimmed = super()._trim_in_graph(model, waveform, lengths)
        silent = trimmed["lengths"] == 0
        return {
            "waveform": ops.where(silent[:, None], waveform, trimmed["waveform"]),
            "lengths": ops.where(silent, lengths, trimmed["lengths"]),
        }
