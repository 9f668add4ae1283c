"""Audio files as waveforms: any kind, rate and channels in, float32 mono at one rate out.

`soundfile` decodes and `soxr` resamples. What the decoder lets pass without a word (a file cut
short, a recording of nothing) is refused here, so that nothing later has to doubt a waveform.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
import soxr

from zoo.common.core.errors import ZooError
from zoo.speech.audio.files import Silencer, check_duration, opened

MIN_SECONDS = 0.025  # one usual analysis window
MAX_SECONDS = 3600.0
SILENCE = 1e-4  # of full scale, peak to peak: about three steps of a 16-bit file
# Samples of two frames of an MP3: decoders differ in what they take for its beginning and end.
MP3_SPARE = 2 * 1152
LOUDEST = 10.0  # times full scale: a lossy file overshoots by less than 2
BLOCK = 1 << 18  # samples decoded at a time, and at most so many of a result


def read_audio(
    source: str | Path | bytes,
    sample_rate: int,
    *,
    min_seconds: float = MIN_SECONDS,
    allow_silence: bool = False,
) -> np.ndarray:
    """Decode one recording of at most an hour.

    Args:
        source, sample_rate, min_seconds, allow_silence: as of `read_blocks`.

    Returns:
        float32 [samples]: all blocks of `read_blocks` in one.

    Raises:
        ZooError: as `read_blocks`, or the recording is longer than an hour.
    """
    blocks = read_blocks(
        source,
        sample_rate,
        min_seconds=min_seconds,
        max_seconds=MAX_SECONDS,
        allow_silence=allow_silence,
    )
    return np.concatenate(list(blocks) or [np.zeros(0, np.float32)])


def read_blocks(
    source: str | Path | bytes,
    sample_rate: int,
    *,
    min_seconds: float = MIN_SECONDS,
    max_seconds: float = math.inf,
    allow_silence: bool = False,
    block: int = BLOCK,
) -> Iterator[np.ndarray]:
    """Decode a recording of any length block by block, in memory that does not grow with it.

    Args:
        source: path of a file, or its bytes. WAV of every kind (PCM of 8 to 32 bits, float, mu-law,
            A-law, extensible), FLAC, OGG (Vorbis, Opus), MP3, AIFF or NIST SPHERE, known by content
            and not by extension; any rate and number of channels.
        sample_rate: int. Samples a second of the result, in Hz.
        min_seconds, max_seconds: float. The shortest and the longest recording that is read.
        allow_silence: whether a recording without sound is read too.
        block: int. Samples of the file in a block, those of all channels counted.

    Yields:
        float32 [samples], one block after the other: the mean of the channels, full scale 1.0,
        resampled if need be. A float file or a lossy one may overshoot full scale a little and is
        left as it is; one beyond `LOUDEST` holds no sound, or has another scale.

    Raises:
        ZooError: with the file's name, for what is missing, empty, not audio or too long; and after the
            last block for what is truncated, silent, not finite, far too loud or too short. Of an OGG
            every damage is noticed, of an MP3 a cut: by the frame count in its Xing header, or by its
            frames.
    """
    with opened(source, max_seconds) as (name, audio, decoding):
        rate, frames = audio.samplerate, audio.frames
        statistics = _Statistics(name, rate)
        resampler = soxr.ResampleStream(rate, sample_rate, 1) if rate != sample_rate else None
        size = max(1, int(block / audio.channels * min(1, rate / sample_rate)))
        while len(samples := _decode(name, audio, size, decoding)):
            statistics.add(samples)
            if (
                statistics.bad or statistics.peak > LOUDEST
            ):  # the rest is only counted, for the error
                continue
            if resampler is not None:
                samples = resampler.resample_chunk(samples)
            if len(samples):
                yield samples
        expected = frames - (MP3_SPARE if audio.format == "MP3" else 0)
    if statistics.samples < expected:
        raise ZooError(
            f"{name}: truncated: its header says {frames / rate:.2f} s, "
            f"it holds {statistics.samples / rate:.2f} s"
        )
    statistics.check(min_seconds, max_seconds, allow_silence)
    if resampler is not None and len(
        last := resampler.resample_chunk(np.zeros(0, np.float32), last=True)
    ):
        yield last


def audio_seconds(path: str | Path) -> float:
    """Return the length of an audio file in seconds by its header, without decoding it (0.3 ms a file).

    Raises:
        ZooError: the file is missing, empty, not audio, longer than an hour or, by what its header
            says, truncated.
    """
    with opened(path, MAX_SECONDS) as (_, audio, _):
        return audio.frames / audio.samplerate


def check_waveform(
    waveform: np.ndarray,
    sample_rate: int,
    name: str,
    *,
    min_seconds: float = MIN_SECONDS,
    allow_silence: bool = False,
) -> None:
    """Refuse a waveform that no model can answer for.

    Args:
        waveform: float32 [samples] at `sample_rate` Hz. name: what to call it in the error.
        min_seconds: float. The least it must last. allow_silence: whether it may be silent.

    Raises:
        ZooError: it has other than one axis, lasts less than `min_seconds` or more than an hour, has a
            NaN or infinite sample, one beyond `LOUDEST`, or is silent: all samples within `SILENCE` of
            each other.
    """
    if waveform.ndim != 1:
        raise ZooError(
            f"{name}: a waveform must have one axis, [samples]. Received: {waveform.shape}"
        )
    statistics = _Statistics(name, sample_rate)
    statistics.add(waveform)
    statistics.check(min_seconds, MAX_SECONDS, allow_silence)


@dataclass
class _Statistics:
    """What a waveform is checked by, counted block by block."""

    name: str
    rate: int
    samples: int = 0
    bad: int = 0
    first_bad: int = 0
    low: float = math.inf
    high: float = -math.inf

    @property
    def peak(self) -> float:
        return max(-self.low, self.high)

    def add(self, samples: np.ndarray) -> None:
        if not len(samples):
            return
        finite = np.isfinite(samples)
        if not finite.all():
            if not self.bad:
                self.first_bad = self.samples + int(np.argmin(finite))
            self.bad += int(np.count_nonzero(~finite))
        self.samples += len(samples)
        self.low = min(self.low, float(samples.min()))
        self.high = max(self.high, float(samples.max()))

    def check(self, min_seconds: float, max_seconds: float, allow_silence: bool) -> None:
        check_duration(self.name, self.samples, self.rate, max_seconds)
        if self.samples < max(1, min_seconds * self.rate):
            raise ZooError(
                f"{self.name}: too short: at least {min_seconds * 1000:.0f} ms is needed. Received: "
                f"{self.samples} sample(s), {1000 * self.samples / self.rate:.1f} ms"
            )
        if self.bad:
            raise ZooError(
                f"{self.name}: {self.bad} of {self.samples} samples are NaN or infinite, "
                f"the first at {self.first_bad / self.rate:.2f} s"
            )
        if self.peak > LOUDEST:
            raise ZooError(
                f"{self.name}: far too loud: samples must be within {LOUDEST:g} times full scale. "
                f"Received: a peak of {self.peak:.3g}"
            )
        if not allow_silence and self.high - self.low < SILENCE:
            raise ZooError(
                f"{self.name}: silent: its {self.samples / self.rate:.2f} s of samples stay within "
                f"{SILENCE} of full scale of each other"
            )


def _decode(name: str, audio: soundfile.SoundFile, frames: int, decoding: Silencer) -> np.ndarray:
    """The next float32 [samples] of a file, its channels' mean; none at its end."""
    try:
        with decoding():
            channels = audio.read(frames, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError:
        raise ZooError(f"{name}: truncated or corrupt: its sound cannot be decoded") from None
    with np.errstate(invalid="ignore", over="ignore"):  # reported at the end
        return channels.mean(axis=1, dtype=np.float32)
