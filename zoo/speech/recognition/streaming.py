"""Recordings heard part by part: what a model that can do so has, and the stream it answers in."""

from __future__ import annotations

import sys
from abc import abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import soxr

from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import entries
from zoo.common.core.states import initial_states, next_states
from zoo.common.data.labels import BLANK_INDEX
from zoo.speech.acoustic import AcousticModel
from zoo.speech.audio.pcm import read_pcm
from zoo.speech.audio.reading import read_blocks

STEP = "step"
# Of a file that is heard as if it were being made.
BLOCK_SECONDS = 0.1


@dataclass(frozen=True)
class StreamingModel(AcousticModel):
    """An acoustic model for CTC whose answer to a part of a recording does not wait for what follows.

    Beside what `build` returns it has the graph `step`, with
        the inputs `waveform` float32 [batch, k * chunk_samples], the next k chunks of recordings, and
        the `states` before them;
        the outputs `logits` float32 [batch, k, vocabulary_size] of those chunks, and `next_<name>`, the
        states after them.
    `build`'s logits of a recording are those of its chunks, the last one filled up with zeros, and of
    `end_frames` chunks of zeros after it.

    end_frames: int. Chunks of silence after the end of a recording.
    """

    end_frames: int = field(default=5, kw_only=True)

    @property
    @abstractmethod
    def chunk_samples(self) -> int:
        """Samples to each frame of logits."""

    def frames(self, samples: int) -> int:
        """See `AcousticModel.frames`: those of the logits."""
        return -(-samples // self.chunk_samples) + self.end_frames


class Stream:
    """A recording that is recognised while it is made.

    graphs: Graphs. Of a preset whose model is a `StreamingModel`, in any runtime; `step` is run.
    recipe: Recipe. Of that preset; its decoder makes the last answer.
    sample_rate: int. Samples a second of what is accepted, in Hz; None for the model's own.

    The samples may come in blocks of any size: the model steps from one chunk of
    `recipe.model.chunk_samples` to the next, so the numbers do not depend on the blocks. What is kept
    of a recording is its logits, about 5 kB a second, for the last answer.

    Example:
        >>> stream = zoo.load("speech/lstm-ctc-phoneme-an4").stream()
        >>> for block in blocks:
        ...     stream.accept(block)
        ...     print(stream.partial())
        >>> stream.finish()["output"]
        'Y EH S'
    """

    def __init__(self, graphs: Graphs, recipe: Recipe, sample_rate: int | None = None):
        model = recipe.model
        check_can_stream(recipe)
        recipe.task.check_decoder(recipe)
        rate = model.features.sample_rate
        self.sample_rate = rate if sample_rate is None else sample_rate
        check_range("sample_rate", self.sample_rate, at_least=1000, at_most=1_000_000)
        same = self.sample_rate == rate
        self._resampler = None if same else soxr.ResampleStream(self.sample_rate, rate, 1)
        self._step, self._recipe, self._rate = graphs[STEP], recipe, rate
        self._states = initial_states(model.states, 1)
        self._waiting = np.zeros(0, np.float32)
        self._samples = 0
        self._logits: list[np.ndarray] = []
        self._found: list[int] = []
        self._last = BLANK_INDEX
        self._finished = False

    @property
    def seconds(self) -> float:
        """How much of the recording was accepted."""
        return self._samples / self._rate

    def blocks(self, source: str) -> Iterator[np.ndarray]:
        """Yield the samples of a recording as `accept` takes them, as they can be read.

        Args:
            source: the path of a file of any kind and rate; or "-", raw PCM on standard input: signed
                16-bit little-endian, one channel, at `sample_rate`.

        Raises:
            ZooError: as `zoo.speech.audio.reading.read_blocks`; or standard input has another format.
        """
        if source == "-":
            return read_pcm(sys.stdin.buffer)
        block = round(BLOCK_SECONDS * self.sample_rate)
        return read_blocks(source, self.sample_rate, block=block)

    def accept(self, samples: np.ndarray) -> None:
        """Hear the next samples.

        Args:
            samples: float [samples], full scale 1.0, of any number.

        Raises:
            ZooError: the stream is finished, or the samples have another type, more than one axis, or a
                NaN or infinite one; nothing of them is heard then.
        """
        self._check_open()
        samples = _checked(samples)
        if self._resampler is not None:
            samples = self._resampler.resample_chunk(samples)
        self._hear(samples)

    def partial(self) -> str:
        """Return the text so far, of the likeliest path; empty where nothing was heard yet."""
        return self._recipe.data.labels.text(self._found)

    def finish(self) -> dict[str, Any]:
        """End the recording and return its answer, as `predict` gives it.

        Raises:
            ZooError: the stream is finished already, or the recording is too short to have a frame.
        """
        self._check_open()
        self._finished = True
        if self._resampler is not None:
            self._hear(self._resampler.resample_chunk(np.zeros(0, np.float32), last=True))
        model, seconds = self._recipe.model, self.seconds
        if self._samples < model.features.window_samples:
            raise ZooError(
                f"A stream must last at least {1000 * model.features.min_seconds:.0f} ms. "
                f"Received: {self._samples} sample(s), {1000 * seconds:.1f} ms."
            )
        missing = model.frames(self._samples) * model.chunk_samples - self._samples
        self._run(np.zeros(missing, np.float32))
        logits = np.concatenate(self._logits)
        return self._recipe.task.answer_logits(logits, self._recipe) | {"seconds": seconds}

    def _check_open(self) -> None:
        if self._finished:
            raise ZooError("The stream is finished: open another one for the next recording.")

    def _hear(self, samples: np.ndarray) -> None:
        self._samples += len(samples)
        self._run(samples)

    def _run(self, samples: np.ndarray) -> None:
        """Step over the whole chunks there are; the rest waits."""
        waiting = np.concatenate([self._waiting, samples])
        size = self._recipe.model.chunk_samples
        whole = len(waiting) // size * size
        for chunk in waiting[:whole].reshape(-1, 1, size):
            outputs = self._step(waveform=chunk, **self._states)
            self._states = next_states(self._recipe.model.states, outputs)
            (logits,) = outputs["logits"]
            self._logits.append(logits)
            for label in logits.argmax(axis=-1).tolist():
                if label not in (self._last, BLANK_INDEX):
                    self._found.append(label)
                self._last = label
        self._waiting = waiting[whole:]


def check_can_stream(recipe: Recipe) -> None:
    """Raise `ZooError` for a recipe whose model hears the whole recording first, naming those that
    do not."""
    if not isinstance(recipe.model, StreamingModel):
        can = [e.name for e in entries() if isinstance(e.recipe().model, StreamingModel)]
        raise ZooError(
            f"{recipe.name} cannot stream: its answer needs the whole recording. "
            f"One that can: {', '.join(can)}."
        )


def step_inputs(recipe: Recipe, waveform: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Return inputs of the graph `step`, for exports: where recordings begin, and from within them.

    Args:
        waveform: float32 [batch, samples]. None are made for a model without that graph.
    """
    model = recipe.model
    if not isinstance(model, StreamingModel):
        return []
    within = np.random.default_rng(0)

    def inputs(rows: int, chunks: int, noise: float) -> dict[str, np.ndarray]:
        states = {
            name: state + noise * within.random(state.shape, np.float32)
            for name, state in initial_states(model.states, rows).items()
        }
        start = waveform.shape[1] // 3
        return {"waveform": waveform[:rows, start : start + chunks * model.chunk_samples], **states}

    return [inputs(1, 1, 0.0), inputs(1, 8, 0.1), inputs(len(waveform), 4, 0.1)]


def _checked(samples: Any) -> np.ndarray:
    """Samples as float32 [samples]. Raises `ZooError`."""
    samples = np.asarray(samples)
    if samples.dtype.kind != "f":
        raise ZooError(
            "The samples of a stream must be floating-point, full scale 1.0. "
            f"Received: {samples.dtype}."
        )
    if samples.ndim != 1:
        raise ZooError(
            "The samples of a stream must have one axis, [samples], of one channel. "
            f"Received: {samples.shape}."
        )
    samples = samples.astype(np.float32)
    bad = int(np.count_nonzero(~np.isfinite(samples)))
    if bad:
        raise ZooError(f"{bad} of {len(samples)} samples are NaN or infinite: nothing was heard.")
    return samples
