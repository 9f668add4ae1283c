"""Recognition of a recording while it is made: models that support it, and the stream."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import soxr

from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.predictor import Predictor
from zoo.common.core.registry import Entry, entries
from zoo.common.core.states import STEP, initial_states, next_states
from zoo.common.data.labels import BLANK_INDEX, LabelledData
from zoo.common.decoding.decoders import CTCSearch
from zoo.common.tasks.ctc import CTC
from zoo.speech.acoustic import AcousticModel
from zoo.speech.audio.files import MAX_RATE, MIN_RATE
from zoo.speech.audio.microphone import MICROPHONE, read_microphone
from zoo.speech.audio.pcm import read_pcm
from zoo.speech.audio.reading import MAX_PEAK, Source, read_blocks
from zoo.speech.recognition.endpoints import FINAL, PARTIAL, Endpoints

# Duration in seconds of a block of a file that is read as a stream.
BLOCK_SECONDS = 0.1


@dataclass(frozen=True)
class StreamingModel(AcousticModel):
    """Base class of acoustic models for CTC whose outputs do not depend on later samples.

    In addition to the model returned by `build`, it has the graph `step`, with
        the inputs `waveform` float32 [batch, k * chunk_samples], the next k chunks of recordings, and
        the `states` before them. Any other number of samples is an error;
        the outputs `logits` float32 [batch, k, vocabulary_size] of these chunks, and `next_<name>`, the
        states after them.
    The logits of the model for a recording are those of its chunks, the last one padded with zeros, and
    of `end_frames` chunks of zeros after it.

    Args:
        end_frames: number of chunks of zeros after the end of a recording.
    """

    end_frames: int = field(default=5, kw_only=True)

    @property
    @abstractmethod
    def chunk_samples(self) -> int:
        """The number of samples per frame of logits."""

    def frames(self, samples: int) -> int:
        return -(-samples // self.chunk_samples) + self.end_frames

    def feature_frames(self, samples: int) -> int:
        return self.frames(samples) * (self.chunk_samples // self.features.hop_samples)


class Stream:
    """Recognize a recording while it is made.

    Samples may come in blocks of any size: the model processes chunks of `chunk_samples`, so the results
    do not depend on the size of blocks. The recording is divided into utterances at endpoints. The
    stream keeps the logits of the present utterance, about 5 kB per second, for its final text.

    Args:
        predictor: its model is a `StreamingModel`; the graph `step` is run in any runtime. The decoder
            makes the final texts.
        task: the task of the recipe.
        sample_rate: sample rate in Hz of the accepted samples; None for the rate of the model.
        source: the recording whose events are iterated; see `blocks`. None if samples are passed to
            `accept`.
        endpoints: the rules that end an utterance; None if the recording is one utterance.

    Examples:
        >>> import zoo
        >>> from zoo.speech.data import EXAMPLE_CLIPS
        >>> preset = zoo.load("speech/lstm-ctc-phoneme-an4")
        >>> *partials, final = preset.stream(EXAMPLE_CLIPS[2])
        >>> partials[2]
        {'event': 'partial', 'seconds': 0.9, 'output': 'IH N B AH N'}
        >>> final["event"], final["output"]
        ('final', 'IH N B AH N T W EH N IY S EH V AH N F IH F T IY S EH V AH N')
        >>> final["words"][0]
        {'word': 'IH', 'begin': 0.51, 'end': 0.54, 'confidence': 0.627}
    """

    def __init__(
        self,
        predictor: Predictor[LabelledData, Any, CTCSearch],
        task: CTC,
        sample_rate: int | None = None,
        source: Source | None = None,
        endpoints: Endpoints | None = None,
    ):
        check_stream(predictor.name, predictor.model)
        task.check_predictor(predictor)
        self._predictor, self._task = predictor, task
        self._model: StreamingModel = predictor.model
        self._rate = self._model.features.sample_rate
        self.sample_rate = self._rate if sample_rate is None else sample_rate
        check_range("sample_rate", self.sample_rate, at_least=MIN_RATE, at_most=MAX_RATE)
        same = self.sample_rate == self._rate
        self._resampler = None if same else soxr.ResampleStream(self.sample_rate, self._rate, 1)
        self._source, self._endpoints = source, endpoints
        self._states = initial_states(self._model.states, 1)
        self._waiting = np.zeros(0, np.float32)
        self._samples = 0
        self._frames = 0  # before the present utterance
        self._utterance = Utterance()
        self._shown = ""
        self._finished = False

    @property
    def seconds(self) -> float:
        """The duration of the accepted samples."""
        return self._samples / self._rate

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Yield the events of the source, as `accept` returns them, and the last utterance.

        Raises:
            ZooError: there is no source, or as `blocks`, `accept` and `finish`.
        """
        if self._source is None:
            raise ZooError("The stream has no source. Pass one, or pass samples to `accept`.")
        for block in self.blocks(self._source):
            yield from self.accept(block)
        self._end()
        final = self._final()
        if final["output"] or not self._frames:
            yield final

    def blocks(self, source: Source) -> Iterator[np.ndarray]:
        """Yield the samples of a recording as soon as they can be read, as `accept` takes them.

        Args:
            source: as in `zoo.speech.audio.reading.read_blocks`; "-", raw PCM on standard input: signed
                16-bit little-endian, one channel, at `sample_rate`; or "microphone", the default
                microphone, until an interruption.

        Raises:
            ZooError: as `zoo.speech.audio.reading.read_blocks`, standard input has another format, or
                there is no microphone.
        """
        block = round(BLOCK_SECONDS * self.sample_rate)
        if source == "-":
            return read_pcm(sys.stdin.buffer)
        if source == MICROPHONE:
            return read_microphone(self.sample_rate, block)
        return read_blocks(source, self.sample_rate, block=block)

    def accept(self, samples: np.ndarray) -> list[dict[str, Any]]:
        """Process the next samples.

        Args:
            samples: float [samples], full scale 1.0, of any number.

        Returns:
            A list of events: one for each utterance that has ended,
            `{"event": "final", "begin", "end", "output", "log_probability", "confidence", "words"}`
            with times in seconds; and if the text of the present utterance has changed,
            `{"event": "partial", "seconds", "output"}`.

        Raises:
            ZooError: the stream is finished; or the samples have another dtype, more than one axis, a
                NaN or infinite value, or one above `MAX_PEAK`. None of them is processed then.
        """
        self._check_open()
        samples = _checked(samples)
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        events = self._process(samples)
        partial = self.partial()
        if partial != self._shown and partial:
            seconds = round(self.seconds, 3)
            events.append({"event": PARTIAL, "seconds": seconds, "output": partial})
        self._shown = partial
        return events

    def partial(self) -> str:
        """Return the text of the present utterance so far.

        It is that of the most probable path. A decoder that searches for words returns words.
        """
        utterance, predictor = self._utterance, self._predictor
        if not predictor.decoder.searches_words:
            return predictor.data.labels.text(utterance.found)
        if utterance.searched != len(utterance.found):  # a search at every block would be wasteful
            decoder = replace(predictor.decoder, n_best=1, rescore=None)
            labels, logits = predictor.data.labels, np.stack(utterance.logits)
            utterance.text = self._task.transcriptions(logits, decoder, labels)[0].text
            utterance.searched = len(utterance.found)
        return utterance.text

    def finish(self) -> dict[str, Any]:
        """End the recording and return the answer of its last utterance, as `predict` returns it.

        `seconds` is the duration of the recording. Without endpoints, the answer is that to the whole
        recording.

        Raises:
            ZooError: the stream is already finished, or the recording is too short.
        """
        self._end()
        return self._answer(self._predictor) | {"seconds": self.seconds}

    def _end(self) -> None:
        """Process the last samples, and the frames after them."""
        self._check_open()
        self._finished, self._endpoints = True, None
        if self._resampler is not None:
            self._process(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        model = self._model
        if self._samples < model.features.window_samples:
            raise ZooError(
                f"A stream must last at least {1000 * model.features.min_seconds:.0f} ms. "
                f"Received: {self._samples} sample(s), {1000 * self.seconds:.1f} ms."
            )
        missing = model.frames(self._samples) * model.chunk_samples - self._samples
        self._run(np.zeros(missing, np.float32))

    def _check_open(self) -> None:
        if self._finished:
            raise ZooError("The stream is finished. Open another one for the next recording.")

    def _process(self, samples: np.ndarray) -> list[dict[str, Any]]:
        self._samples += len(samples)
        return self._run(samples)

    def _run(self, samples: np.ndarray) -> list[dict[str, Any]]:
        """Run the graph on all complete chunks, keep the other samples, and return final events."""
        waiting = np.concatenate([self._waiting, samples])
        size, step = self._model.chunk_samples, self._predictor.graphs[STEP]
        complete = len(waiting) // size * size
        events = []
        for chunk in waiting[:complete].reshape(-1, 1, size):
            outputs = step(waveform=chunk, **self._states)
            self._states = next_states(self._model.states, outputs)
            for frame in outputs["logits"][0]:
                self._utterance.add(frame)
                events += self._end_utterance()
        self._waiting = waiting[complete:]
        return events

    def _end_utterance(self) -> list[dict[str, Any]]:
        """Return the final event at an endpoint, and begin an utterance. The model continues."""
        utterance, seconds = self._utterance, self._model.seconds_per_frame
        frames = len(utterance.logits)
        if self._endpoints is None or not self._endpoints.reached(
            frames * seconds, utterance.silence * seconds, bool(utterance.found)
        ):
            return []
        events = []
        if utterance.found and (final := self._final())["output"]:
            events.append(final)
        self._frames += frames
        self._utterance, self._shown = Utterance(last=utterance.last), ""
        return events

    def _answer(self, predictor: Predictor[LabelledData, Any, CTCSearch]) -> dict[str, Any]:
        """Return the answer of the present utterance."""
        begin = self._frames * self._model.seconds_per_frame
        return self._task.answer_logits(np.stack(self._utterance.logits), predictor, begin)

    def _final(self) -> dict[str, Any]:
        """Return the final event of the present utterance."""
        seconds, frames = self._model.seconds_per_frame, len(self._utterance.logits)
        end = min((self._frames + frames) * seconds, self.seconds)
        times = {"begin": round(self._frames * seconds, 3), "end": round(end, 3)}
        decoder = replace(self._predictor.decoder, times=True)
        return {"event": FINAL, **times, **self._answer(replace(self._predictor, decoder=decoder))}


@dataclass
class Utterance:
    """The present utterance of a stream.

    Args:
        last: the most probable label of the frame before.
        logits: float32 [vocabulary_size] of each frame.
        found: the labels of the most probable path.
        silence: number of frames since the last label.
        text: the last result of a search for words.
        searched: number of labels at that search.
    """

    last: int = BLANK_INDEX
    logits: list[np.ndarray] = field(default_factory=list)
    found: list[int] = field(default_factory=list)
    silence: int = 0
    text: str = ""
    searched: int = 0

    def add(self, logits: np.ndarray) -> None:
        """Add a frame."""
        self.logits.append(logits)
        label = int(logits.argmax())
        if label not in (self.last, BLANK_INDEX):
            self.found.append(label)
        self.silence = self.silence + 1 if label == BLANK_INDEX else 0
        self.last = label


def check_stream(name: str, model: Any) -> None:
    """Check that a model can stream.

    Args:
        name: name of the recipe, for an error message.
        model: config of the model.

    Raises:
        ZooError: the model needs the whole recording. The message lists recipes that can stream.
    """
    if not isinstance(model, StreamingModel):
        can = [entry.name for entry in entries("speech/*") if _can_stream(entry)]
        raise ZooError(
            f"{name} cannot stream: its answer needs the whole recording. "
            f"Recipes that can stream: {', '.join(can)}."
        )


def _can_stream(entry: Entry) -> bool:
    """Return whether the model of a registered recipe can stream."""
    with suppress(ZooError):  # a recipe of another package that is not usable
        return isinstance(entry.recipe().model, StreamingModel)
    return False


def step_inputs(model: AcousticModel, waveform: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Return inputs of the graph `step` for exports, at the begin of recordings and within them.

    Args:
        model: config of the model. Without the graph `step` there are no inputs.
        waveform: float32 [batch, samples].
    """
    if not isinstance(model, StreamingModel):
        return []
    generator = np.random.default_rng(0)
    start, size = waveform.shape[1] // 3, model.chunk_samples

    def inputs(rows: int, chunks: int, noise: float) -> dict[str, np.ndarray]:
        states = {
            name: state + noise * generator.random(state.shape, np.float32)
            for name, state in initial_states(model.states, rows).items()
        }
        return {"waveform": waveform[:rows, start : start + chunks * size], **states}

    return [inputs(1, 1, 0.0), inputs(1, 8, 0.1), inputs(len(waveform), 4, 0.1)]


def _checked(samples: Any) -> np.ndarray:
    """Return samples as float32 [samples]. Raises `ZooError`."""
    samples = np.asarray(samples)
    if samples.dtype.kind != "f":
        raise ZooError(
            f"The samples of a stream must be float, full scale 1.0. Received: {samples.dtype}."
        )
    if samples.ndim != 1:
        raise ZooError(
            "The samples of a stream must have one axis, [samples], and one channel. "
            f"Received: {samples.shape}."
        )
    samples = samples.astype(np.float32)
    bad = int(np.count_nonzero(~np.isfinite(samples)))
    if bad:
        raise ZooError(f"The samples of a stream must be finite. Received: {bad} NaN or infinite.")
    peak = float(np.abs(samples).max(initial=0))
    if peak > MAX_PEAK:
        raise ZooError(
            f"The samples of a stream must be within {MAX_PEAK:g} times full scale. "
            f"Received: a peak of {peak:.3g}."
        )
    return samples
