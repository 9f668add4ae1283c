"""Recordings with transcripts as data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import Segment, Segments, Streaming
from zoo.common.core.formats import Format
from zoo.common.core.predictor import Predictor
from zoo.common.core.states import STEP
from zoo.common.data.batching import pad
from zoo.common.data.labels import BLANK_INDEX
from zoo.speech.acoustic import AcousticModel
from zoo.speech.audio.reading import Source, recording_seconds
from zoo.speech.audio.recording import Recording
from zoo.speech.audio.segmentation import PauseSegmentation
from zoo.speech.data import Recordings
from zoo.speech.manifests import ManifestReader
from zoo.speech.recognition.endpoints import DEFAULT_ENDPOINTS, Endpoints, read_endpoints
from zoo.speech.recognition.streaming import Stream, StreamingModel, check_stream, step_inputs
from zoo.speech.recognition.subtitles import subtitle_formats
from zoo.speech.utterance import Utterance, utterance

# Maximum duration of speech that is recognized as a whole, and of each segment of longer speech.
MAX_CLIP, MAX_SEGMENT = 30.0, 20.0
# Pauses between segments, in seconds: longer than pauses within a sentence.
PAUSE, MARGIN = 0.8, 0.5


@dataclass(frozen=True)
class TranscribedRecordings(Recordings, Streaming, Baselines):
    """Recordings with transcripts, for CTC.

    Args:
        target: "characters"; or "words", symbols between white space, such as words or phonemes.
        labels: as in `Recordings`.
        split_by: as in `Recordings`.
        speed_perturbation: as in `Recordings`.
        augmentation: as in `Recordings`.
        spec_augment: as in `Recordings`.
        max_seconds: as in `Recordings`.
        window: not used.
        audio_column: as in `Recordings`.
        text_column: as in `Recordings`.
    """

    targets: ClassVar[Mapping[str, str]] = {"characters": "character", "words": "word"}
    reference: ClassVar[str] = "transcript"
    baseline_packages: ClassVar[tuple[str, ...]] = ("pocketsphinx", "scipy")
    baseline_limit: ClassVar[int] = 0  # it takes minutes, and is for English only
    verb: ClassVar[str] = "transcribe"
    size_field: ClassVar[str] = "vocabulary_size"
    trims_low_noise: ClassVar[bool] = True
    target_spec: ClassVar[dict[str, tuple]] = {
        "labels": ((None, None), "int32"),
        "label_lengths": ((None,), "int32"),
    }

    target: str = "characters"

    def read_manifest(self, path: Path) -> list[Utterance]:
        """Return the utterances of a manifest; see `zoo.speech.manifests.ManifestReader`."""
        return ManifestReader(utterance, self.audio_column, self.text_column).read(path)

    def collate_targets(self, targets: list[list[int]]) -> dict[str, np.ndarray]:
        """Return `labels` int32 [batch, max_labels], padded with the blank, and `label_lengths`."""
        labels, lengths = pad([np.array(row, np.int32) for row in targets], BLANK_INDEX)
        return {"labels": labels, "label_lengths": lengths}

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.speech.recognition.baselines import sphinx_baselines

        return sphinx_baselines(predictor, examples)

    def segments(self, source: Source, model: AcousticModel) -> Segments | None:
        """Return long speech as segments between pauses."""
        seconds, rate = recording_seconds(source), model.features.sample_rate
        if seconds <= MAX_CLIP:
            return None
        recording = Recording(source, seconds, rate, allow_silence=False)
        pauses = PauseSegmentation(rate, PAUSE, MARGIN, MAX_SEGMENT)

        def segments() -> Iterator[Segment]:
            for span in pauses.segments(recording.blocks()):
                yield from self.segment(span, model)

        return Segments(segments(), recording.metadata)

    def check_stream(self, name: str, model: Any) -> None:
        check_stream(name, model)

    def open_stream(
        self,
        predictor: Predictor[Any, Any, Any],
        task: Any,
        source: Source | None = None,
        sample_rate: int | None = None,
        endpoints: Endpoints | Mapping[str, float] | None = DEFAULT_ENDPOINTS,
    ) -> Stream:
        """Return a stream; see `zoo.speech.recognition.streaming.Stream`.

        Raises:
            ZooError: the model cannot stream, or as `read_endpoints`.
        """
        return Stream(predictor, task, sample_rate, source, read_endpoints(endpoints))

    def formats(self, task: Any, model: Any, decoder: Any) -> dict[str, Format]:
        """Return the formats of subtitles."""
        return subtitle_formats()

    def plot_input(
        self, predictor: Predictor[Any, Any, Any], task: Any, source: Source, path: Path
    ) -> None:
        """Draw the positions of labels in time; see `plot_spikes`."""
        from zoo.speech.recognition.plots import plot_spikes

        plot_spikes(predictor, task, source, path)

    def export_metadata(self, model: AcousticModel) -> dict[str, Any]:
        """Return also what a program needs to run `step`, if the model can stream.

        `chunk_samples` is the unit of its samples, `end_frames` the number of chunks of zeros after the
        end.
        """
        metadata = super().export_metadata(model)
        if isinstance(model, StreamingModel):
            metadata |= {"chunk_samples": model.chunk_samples, "end_frames": model.end_frames}
        return metadata

    def example_inputs(self, model: AcousticModel, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return the example clips, and inputs of the graph `step` if the model can stream."""
        inputs = super().example_inputs(model, decoder)
        return inputs | {STEP: step_inputs(model, inputs["serving_default"][-1]["waveform"])}
