"""Recordings of any length as inputs: their files, and what is read of them piece by piece."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.core.data import Segment, Segments
from zoo.common.data.manifests import find_below
from zoo.common.utils.progress import meter
from zoo.speech.audio.files import opened
from zoo.speech.audio.reading import SILENCE, read_audio, read_blocks
from zoo.speech.audio.segmentation import Pauses, windows
from zoo.speech.features.spectrogram_files import mel_spectrogram

if TYPE_CHECKING:
    from zoo.common.core.recipe import Recipe

# What a folder is searched for. A file named on the command line may be called anything.
SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".sph")
# A recording of so many windows is still one clip, with one answer.
CLIP_WINDOWS = 2
# Windows begin half a window apart, so that what one of them cuts is whole in the next.
OVERLAP = 0.5
# Seconds of speech that are recognised at once, and, of a longer recording, of each piece.
LONGEST_CLIP, LONGEST_STRETCH = 30.0, 20.0
# Seconds of the pauses that part speech: longer than those within a sentence.
SPEECH_PAUSE, SPEECH_MARGIN = 0.8, 0.5
# Those that part words said one by one.
WORD_PAUSE, WORD_MARGIN = 0.2, 0.1


def find_recordings(source: str, suffixes: tuple[str, ...] = SUFFIXES) -> list[str]:
    """Return the recordings in a folder and those below it, sorted; a source that is no folder, alone.

    Raises:
        ZooError: the folder has none.
    """
    return find_below(source, suffixes, "recordings")


def recording_seconds(source: str) -> float:
    """Return the length of a recording in seconds by its header. Raises `ZooError` as `read_blocks`."""
    with opened(source, math.inf) as (_, audio, _):
        return audio.frames / audio.samplerate


class Recording:
    """A recording that is read block by block, with a bar of how far it is read.

    source: str. Its path. seconds: float. Its length by its header, then as far as it was read.
    rate: int. Samples a second that it is read at. allow_silence: see `read_blocks`.
    """

    def __init__(self, source: str, seconds: float, rate: int, *, allow_silence: bool):
        self.source, self.seconds, self.rate = source, seconds, rate
        self._allow_silence = allow_silence

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield float32 [samples], one block after the other. Raises `ZooError` as `read_blocks`."""
        samples = 0
        with meter(Path(self.source).name, self.seconds, "s") as bar:
            for block in read_blocks(self.source, self.rate, allow_silence=self._allow_silence):
                samples += len(block)
                bar.update(round(samples / self.rate) - bar.n)
                yield block
        self.seconds = samples / self.rate

    def about(self) -> dict[str, Any]:
        """Return facts that stand in the answer."""
        return {"seconds": round(self.seconds, 3)}


def speech_segments(source: str, recipe: Recipe) -> Segments | None:
    """Return a recording of speech in pieces between its pauses; None for one that is short enough.

    Raises:
        ZooError: it cannot be read.
    """
    seconds = recording_seconds(source)
    if seconds <= LONGEST_CLIP:
        return None
    rate = recipe.model.features.sample_rate
    recording = Recording(source, seconds, rate, allow_silence=False)
    pauses = Pauses(rate, SPEECH_PAUSE, SPEECH_MARGIN, LONGEST_STRETCH)

    def pieces() -> Iterator[Segment]:
        for first, samples in pauses.stretches(recording.blocks()):
            yield from _waveform(first, samples, recipe)

    return Segments(pieces(), recording.about)


def sound_segments(source: str, recipe: Recipe, window: float) -> Segments | None:
    """Return a recording in pieces of sound, for one label each; None for one of a clip's length.

    A piece is a stretch of sound between silences; of one longer than `window` seconds, windows.

    Raises:
        ZooError: it cannot be read.
    """
    seconds = recording_seconds(source)
    if seconds <= CLIP_WINDOWS * window:
        return None
    rate = recipe.model.features.sample_rate
    recording = Recording(source, seconds, rate, allow_silence=True)
    pauses = Pauses(rate, WORD_PAUSE, WORD_MARGIN, LONGEST_STRETCH)
    size, hop = _window_samples(window, rate)

    def pieces() -> Iterator[Segment]:
        for first, stretch in pauses.stretches(recording.blocks()):
            for offset, samples in windows([stretch], size, hop):
                yield from _waveform(first + offset, samples, recipe)

    return Segments(pieces(), recording.about)


def spectrogram_segments(source: str, recipe: Recipe, window: float) -> Segments | None:
    """Return a recording as the spectrograms of windows, each scaled by itself.

    A silent window is left out: there is nothing in it.

    Returns:
        None for a recording of a clip's length that is not silent.

    Raises:
        ZooError: it cannot be read.
    """
    seconds, data = recording_seconds(source), recipe.data
    rate = data.features.sample_rate
    recording = Recording(source, seconds, rate, allow_silence=True)
    if seconds <= CLIP_WINDOWS * window:
        if not _is_silent(read_audio(source, rate, min_seconds=0, allow_silence=True)):
            return None
        return Segments(iter(()), recording.about)
    size, hop = _window_samples(window, rate)

    def pieces() -> Iterator[Segment]:
        for first, samples in windows(recording.blocks(), size, hop):
            if not _is_silent(samples):
                values = mel_spectrogram(samples, data.features, data.top)
                end = (first + len(samples)) / rate
                yield Segment(first / rate, end, {"spectrogram": values})

    return Segments(pieces(), recording.about)


def _window_samples(window: float, rate: int) -> tuple[int, int]:
    """Samples in a window, and from one to the next."""
    size = round(window * rate)
    return size, max(1, round((1 - OVERLAP) * size))


def _is_silent(samples: np.ndarray) -> bool:
    return not len(samples) or float(np.ptp(samples)) < SILENCE


def _waveform(first: int, samples: np.ndarray, recipe: Recipe) -> Iterator[Segment]:
    """A piece as the model takes it; none of what is too short to be one."""
    features, size = recipe.model.features, len(samples)
    if size >= features.window_samples and recipe.model.frames(size) > 0:
        begin, end = first / features.sample_rate, (first + size) / features.sample_rate
        yield Segment(begin, end, recipe.data.item(samples, recipe))
