"""Excerpts: parts of long recordings, read without the rest of the recording."""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from zoo.common.core.errors import ZooError
from zoo.speech.audio.files import AudioFile, opened
from zoo.speech.audio.reading import BLOCK, read_audio

# Time in seconds that is decoded at each side of an excerpt, for the filter of the resampler.
MARGIN = 0.05
# Maximum duration in seconds of a part that is kept in memory.
CACHED = 4.0
# Types of files in which a decoder finds any sample exactly.
SEEKABLE = {"WAV", "WAVEX", "RF64", "FLAC", "AIFF", "NIST"}


@dataclass(frozen=True)
class Excerpt:
    """A part of a recording, whose begin may be drawn from a range.

    Args:
        earliest: smallest begin in seconds.
        latest: largest begin in seconds.
        seconds: duration.
    """

    earliest: float
    latest: float
    seconds: float

    @property
    def middle(self) -> float:
        """The middle of the range of the begin."""
        return (self.earliest + self.latest) / 2

    def draw(self, generator: np.random.Generator) -> float:
        """Return a begin in seconds."""
        return generator.uniform(self.earliest, self.latest)

    def read(self, path: Path, sample_rate: int, begin: float | None = None) -> np.ndarray:
        """Return the excerpt of a recording, float32 [samples].

        Args:
            path: the recording.
            sample_rate: sample rate of the result in Hz.
            begin: begin in seconds, in the range; None for the middle.

        Raises:
            ZooError: the recording cannot be read.
        """
        end = self.latest + self.seconds
        read = _region if end - self.earliest <= CACHED else _region.__wrapped__
        samples = read(path, path.stat().st_mtime_ns, self.earliest, end, sample_rate)
        size = round(self.seconds * sample_rate)
        offset = (self.middle if begin is None else begin) - self.earliest
        first = min(round(offset * sample_rate), max(0, len(samples) - size))
        return samples[first : first + size]


@functools.lru_cache(maxsize=4096)
def _region(path: Path, changed: int, begin: float, end: float, sample_rate: int) -> np.ndarray:
    """Return the samples from `begin` to `end` of a file with the modification time `changed`."""
    with opened(path, math.inf) as audio:
        rate = audio.rate
        first = max(0, int((begin - MARGIN) * rate))
        samples = _samples(audio, first, int((end + MARGIN) * rate) - first)
    waveform = read_audio((samples, rate), sample_rate, min_seconds=0, allow_silence=True)
    offset = round((begin - first / rate) * sample_rate)
    return waveform[offset : offset + round((end - begin) * sample_rate)]


def _samples(audio: AudioFile, first: int, count: int) -> np.ndarray:
    """Return `count` samples from `first` on, float32 [samples, channels]; fewer at the end.

    A lossy file is decoded from its begin, since its decoder finds a position only approximately.
    """
    for decoder in audio.decoders():
        if decoder.format not in SEEKABLE:
            break
        try:
            decoder.seek(min(first, decoder.frames))
            return decoder.read(count, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError:
            raise ZooError(f"{audio.name}: corrupt: its audio cannot be decoded") from None
    parts, end = [], 0
    for block in audio.blocks(BLOCK):
        begin, end = end, end + len(block)
        part = block[max(0, first - begin) : max(0, first + count - begin)]
        if part.shape[1] != audio.channels:  # a part of the file with fewer channels
            part = part.mean(axis=1, keepdims=True).repeat(audio.channels, axis=1)
        parts.append(part)
        if end >= first + count:
            break
    return np.concatenate(parts)
