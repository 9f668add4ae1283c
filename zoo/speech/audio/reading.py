"""Read audio of any file type, rate and number of channels as float32 waveforms with one channel.

`soundfile` decodes and `soxr` resamples. Truncated files, silent recordings and invalid samples, which
the decoder does not report, are errors here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from zoo.common.core.errors import ZooError, check_range
from zoo.common.utils.progress import say
from zoo.speech.audio.channels import are_cancelled
from zoo.speech.audio.files import MAX_RATE, MIN_RATE, OnCut, check_duration, opened

# A path, the bytes of a file, or an array with its sample rate.
Source = str | Path | bytes | tuple[np.ndarray, int]

MIN_SECONDS = 0.025  # a common analysis window
MAX_SECONDS = 3600.0
SILENCE = 1e-4  # of full scale, peak to peak: about three steps of a 16-bit file
MAX_PEAK = 10.0  # times full scale: a lossy file exceeds it by a factor below 2
BLOCK = 1 << 18  # samples that are decoded at a time, and the maximum size of a resulting block


class SilentError(ZooError):
    """A recording, or a part of one, that has no sound."""


def source_name(source: Source) -> str:
    """Return the name of a source for messages and titles."""
    if isinstance(source, str | Path):
        return str(source)
    return "audio bytes" if isinstance(source, bytes) else "waveform"


def read_audio(
    source: Source,
    sample_rate: int,
    *,
    min_seconds: float = MIN_SECONDS,
    allow_silence: bool = False,
) -> np.ndarray:
    """Return the waveform of a recording of at most one hour.

    Args:
        source: as in `read_blocks`.
        sample_rate: as in `read_blocks`.
        min_seconds: as in `read_blocks`.
        allow_silence: as in `read_blocks`.

    Returns:
        float32 [samples], all blocks of `read_blocks`.

    Raises:
        ZooError: as `read_blocks`, or the recording is longer than one hour.
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
    source: Source,
    sample_rate: int,
    *,
    min_seconds: float = MIN_SECONDS,
    max_seconds: float = math.inf,
    allow_silence: bool = False,
    block: int = BLOCK,
    on_cut: OnCut | None = None,
) -> Iterator[np.ndarray]:
    """Yield the waveform of a recording of any length block by block, in constant memory.

    Args:
        source: path of a file, its bytes, or `(waveform, sample_rate)`. Files may be WAV (PCM of 8 to 32
            bits, float, mu-law, A-law, extensible), FLAC, OGG (Vorbis, Opus), MP3, AIFF or NIST SPHERE,
            recognized by content, with any rate and number of channels. A waveform is float, full scale
            1.0, or int16, and has the shape [samples] or [samples, channels].
        sample_rate: sample rate of the result in Hz.
        min_seconds: minimum duration of a recording.
        max_seconds: maximum duration of a recording.
        allow_silence: whether a silent recording is valid.
        block: number of samples that are decoded at a time, summed over channels.
        on_cut: receives the reason why a file ends early, which is an error without it.

    Yields:
        float32 [samples]: the mean of the channels, full scale 1.0, resampled if necessary. If the
        channels cancel each other, it is the loudest channel, and a line on stderr says so. Float and
        lossy files may exceed full scale; samples above `MAX_PEAK` are an error.

    Raises:
        ZooError: the source is missing, empty, not audio or too long; after the last block: it is
            truncated, silent, too loud or too short, or has NaN or infinite samples. All damages of an
            OGG, and those of a FLAC that states a digest, are detected; a truncated MP3 is detected by
            the number of its frames.
    """
    if isinstance(source, tuple):
        samples, rate = _checked_waveform(source)
        statistics = _Statistics(source_name(source), rate)
        mixed = _mixed(statistics.name, samples.shape[1], lambda: _split(samples, block))
        yield from _resampled(mixed, statistics, sample_rate)
    else:
        with opened(source, max_seconds, on_cut) as audio:
            statistics = _Statistics(audio.name, audio.rate)
            size = max(1, int(block / audio.channels * min(1, audio.rate / sample_rate)))
            mixed = _mixed(audio.name, audio.channels, lambda: audio.blocks(size))
            yield from _resampled(mixed, statistics, sample_rate)
    statistics.check(min_seconds, max_seconds, allow_silence)


def recording_seconds(
    source: Source, max_seconds: float = math.inf, on_cut: OnCut | None = None
) -> float:
    """Return the duration of a recording, for a file according to its header (0.3 ms per file).

    Args:
        source: as in `read_blocks`.
        max_seconds: maximum duration.
        on_cut: receives the reason why a file ends early, which is an error without it.

    Raises:
        ZooError: the file is missing, empty, not audio, too long, or truncated according to its header;
            or the waveform is invalid.
    """
    if isinstance(source, tuple):
        samples, rate = _checked_waveform(source)
        return len(samples) / rate
    with opened(source, max_seconds, on_cut) as audio:
        return audio.frames / audio.rate


def decoded(path: Path) -> tuple[int, np.ndarray]:
    """Return the sample rate of a file in Hz, and its samples, float32 [samples, channels].

    The samples are not resampled or mixed. Raises as `recording_seconds`.
    """
    with opened(path, MAX_SECONDS) as audio:
        blocks = list(audio.blocks(BLOCK))
        return audio.rate, np.concatenate(blocks or [np.zeros((0, audio.channels), np.float32)])


def audio_seconds(path: str | Path) -> float:
    """Return the duration of an audio file of at most one hour. Raises as `recording_seconds`."""
    return recording_seconds(path, MAX_SECONDS)


def check_waveform(
    waveform: np.ndarray,
    sample_rate: int,
    name: str,
    *,
    min_seconds: float = MIN_SECONDS,
    allow_silence: bool = False,
) -> None:
    """Check that a waveform is a valid input of a model.

    Args:
        waveform: float32 [samples].
        sample_rate: sample rate in Hz.
        name: name of the waveform in an error message.
        min_seconds: minimum duration.
        allow_silence: whether a silent waveform is valid.

    Raises:
        ZooError: it has more than one axis, lasts less than `min_seconds` or more than one hour, has
            a NaN or infinite sample or one above `MAX_PEAK`, or is silent: all samples are within
            `SILENCE` of each other.
    """
    if waveform.ndim != 1:
        raise ZooError(
            f"{name}: a waveform must have one axis, [samples]. Received: {waveform.shape}"
        )
    statistics = _Statistics(name, sample_rate)
    statistics.add(waveform)
    statistics.check(min_seconds, MAX_SECONDS, allow_silence)


def _checked_waveform(source: tuple) -> tuple[np.ndarray, int]:
    """Return (float32 [samples, channels], sample rate) of a `(waveform, sample_rate)` source."""
    if len(source) != 2 or not isinstance(source[1], int | np.integer):
        raise ZooError(
            "A waveform must be (array, sample_rate), with an integer sample rate in Hz. Received: "
            f"({', '.join(type(part).__name__ for part in source)})."
        )
    samples, rate = np.asarray(source[0]), int(source[1])
    check_range("The sample rate of a waveform", rate, at_least=MIN_RATE, at_most=MAX_RATE)
    if samples.dtype == np.int16:
        samples = samples.astype(np.float32) / 32768
    elif samples.dtype.kind != "f":
        raise ZooError(f"A waveform must be float or int16. Received: {samples.dtype}.")
    if samples.ndim not in (1, 2) or 0 in samples.shape[1:]:
        raise ZooError(
            "A waveform must have the shape [samples] or [samples, channels]. "
            f"Received: {list(samples.shape)}."
        )
    samples = samples.astype(np.float32)
    return samples if samples.ndim == 2 else samples[:, None], rate


@dataclass
class _Statistics:
    """Statistics of a waveform, updated block by block, and the checks of them."""

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

    @property
    def is_invalid(self) -> bool:
        return bool(self.bad) or self.peak > MAX_PEAK

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
        if self.peak > MAX_PEAK:
            raise ZooError(
                f"{self.name}: too loud: samples must be within {MAX_PEAK:g} times full scale. "
                f"Received: a peak of {self.peak:.3g}"
            )
        if not allow_silence and self.high - self.low < SILENCE:
            raise SilentError(
                f"{self.name}: silent: its {self.samples / self.rate:.2f} s of samples are within "
                f"{SILENCE} of full scale of each other"
            )


def _resampled(
    parts: Iterable[np.ndarray], statistics: _Statistics, sample_rate: int
) -> Iterator[np.ndarray]:
    """Yield the parts of a waveform at another rate. `statistics` has the rate, and is updated."""
    resampler = None
    if statistics.rate != sample_rate:
        resampler = soxr.ResampleStream(statistics.rate, sample_rate, 1)
    for samples in parts:
        statistics.add(samples)
        if statistics.is_invalid:  # the other samples are only counted, for the error
            continue
        if resampler is not None:
            samples = resampler.resample_chunk(samples)
        if len(samples):
            yield samples
    if resampler is not None and not statistics.is_invalid:
        last = resampler.resample_chunk(np.zeros(0, np.float32), last=True)
        if len(last):
            yield last


def _split(samples: np.ndarray, size: int) -> Iterator[np.ndarray]:
    return (samples[i : i + size] for i in range(0, len(samples), size))


def _mixed(
    name: str, channels: int, blocks: Callable[[], Iterator[np.ndarray]]
) -> Iterator[np.ndarray]:
    """Yield float32 [samples]: the mean of the channels, or one channel if they cancel each other.

    Args:
        name: name of the recording.
        channels: its largest number of channels.
        blocks: returns its blocks, float32 [samples, channels], from the begin.
    """
    only = _loudest_if_cancelled(channels, blocks()) if channels > 1 else None
    if only is not None:
        say(f"{name}: its channels cancel each other. Only channel {only + 1} is used.")
    for block in blocks():
        if only is not None:
            yield block[:, min(only, block.shape[1] - 1)]
            continue
        with np.errstate(invalid="ignore", over="ignore"):  # reported at the end
            yield block.mean(axis=1, dtype=np.float32)


def _loudest_if_cancelled(channels: int, blocks: Iterable[np.ndarray]) -> int | None:
    """Return the index of the loudest channel if the channels cancel each other; else None."""
    count, sums, squares = 0, np.zeros(channels + 1), np.zeros(channels + 1)
    with np.errstate(invalid="ignore", over="ignore"):  # reported at the end
        for block in blocks:
            if block.shape[1] != channels:  # a part with fewer channels
                continue
            values = np.column_stack([block, block.mean(axis=1)]).astype(np.float64)
            count += len(block)
            sums += values.sum(axis=0)
            squares += np.square(values).sum(axis=0)
        powers = squares / max(1, count) - (sums / max(1, count)) ** 2
        cancelled = are_cancelled(powers[:-1], powers[-1], np)
    return int(np.argmax(powers[:-1])) if cancelled else None
