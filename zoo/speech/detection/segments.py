"""Segments of long recordings for classifiers: sounds between pauses, and windows."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from zoo.common.core.capabilities import Segment, Segments
from zoo.speech.audio.reading import SILENCE, Source, read_audio, recording_seconds
from zoo.speech.audio.recording import Recording
from zoo.speech.audio.segmentation import PauseSegmentation, Span, windows
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.spectrogram import mel_spectrogram

# A recording of at most this many windows is one clip, with one answer.
CLIP_WINDOWS = 2
# Share of a window that the next one repeats: an event that one window cuts is complete in the next.
OVERLAP = 0.5
# Pauses between words that are said one by one, in seconds, and the maximum length of a sound.
WORD_PAUSE, WORD_MARGIN, MAX_SOUND = 0.2, 0.1, 20.0


def sound_segments(
    source: Source, rate: int, window: float, to_segments: Callable[[Span], Iterator[Segment]]
) -> Segments | None:
    """Return a recording as sounds between pauses; None if it is one clip.

    Sounds of more than `window` seconds are returned as overlapping windows.

    Args:
        source: the recording; see `zoo.speech.audio.reading.read_blocks`.
        rate: sample rate of the model in Hz.
        window: duration of a window in seconds.
        to_segments: maps a span of samples to its segment, or to nothing if it is too short.

    Raises:
        ZooError: the recording cannot be read.
    """
    seconds, is_cut = _duration(source)
    if seconds <= CLIP_WINDOWS * window and not is_cut:
        return None
    recording = Recording(source, seconds, rate, allow_silence=True, to_cut=True)
    pauses = PauseSegmentation(rate, WORD_PAUSE, WORD_MARGIN, MAX_SOUND)
    size, hop = _window_samples(window, rate)

    def segments() -> Iterator[Segment]:
        for first, sound in pauses.segments(recording.blocks()):
            for offset, samples in windows([sound], size, hop):
                yield from to_segments((first + offset, samples))

    return Segments(segments(), recording.metadata)


def spectrogram_segments(
    source: Source, features: LogMel, top: float, window: float, max_clip: float
) -> Segments | None:
    """Return a recording as the spectrograms of overlapping windows, each scaled separately.

    Silent windows are left out.

    Args:
        source: the recording; see `zoo.speech.audio.reading.read_blocks`.
        features: settings of the spectrogram.
        top: highest value of a spectrogram.
        window: duration of a window in seconds.
        max_clip: maximum duration in seconds of a recording that is one clip.

    Returns:
        None if the recording is one clip that is not silent.

    Raises:
        ZooError: the recording cannot be read.
    """
    (seconds, is_cut), rate = _duration(source), features.sample_rate
    recording = Recording(source, seconds, rate, allow_silence=True, to_cut=True)
    if seconds <= max_clip and not is_cut:
        if not _is_silent(read_audio(source, rate, min_seconds=0, allow_silence=True)):
            return None
        return Segments(iter(()), recording.metadata)
    size, hop = _window_samples(window, rate)

    def segments() -> Iterator[Segment]:
        for first, samples in windows(recording.blocks(), size, hop):
            if not _is_silent(samples):
                values = mel_spectrogram(samples, features, top)
                end = (first + len(samples)) / rate
                yield Segment(first / rate, end, {"spectrogram": values})

    return Segments(segments(), recording.metadata)


def _duration(source: Source) -> tuple[float, bool]:
    """Return the duration of a recording in seconds, and whether its file ends early."""
    cuts: list[str] = []
    seconds = recording_seconds(source, on_cut=cuts.append)
    return seconds, bool(cuts)


def _window_samples(window: float, rate: int) -> tuple[int, int]:
    """Return the number of samples in a window, and between the begins of two."""
    size = round(window * rate)
    return size, max(1, round((1 - OVERLAP) * size))


def _is_silent(samples: np.ndarray) -> bool:
    return not len(samples) or float(np.ptp(samples)) < SILENCE
