"""Frames of detectors: their times, their targets in training, and the scores of a long recording."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from zoo.common.data.labels import Labels
from zoo.speech.detection.annotations import Event

# Key of the targets of the frames in the y of a batch, float32 [batch, frames, classes].
FRAMES = "frames"


@dataclass(frozen=True)
class FrameTimes:
    """The times of the frames of a model, relative to the begin of a recording.

    A frame of the model is several frames of the spectrogram. A frame of the spectrogram lasts for one
    hop, and the middle of the first one is at 0.

    Args:
        hop: time between two frames of the spectrogram in seconds.
        factor: number of frames of the spectrogram in a frame of the model.
    """

    hop: float
    factor: int

    @property
    def seconds(self) -> float:
        """The duration of a frame of the model."""
        return self.hop * self.factor

    def nearest(self, seconds: float) -> int:
        """Return the number of the frame of a recording that begins with a window at `seconds`."""
        return round(seconds / self.seconds)

    def borders(self, first: int, end: int) -> np.ndarray:
        """Return the begins of the frames from `first` to `end`, in seconds; the last is the end."""
        return np.arange(first, end + 1) * self.seconds - self.hop / 2

    def shares(
        self, timeline: Iterable[Event], labels: Labels, begin: float, count: int
    ) -> np.ndarray:
        """Return the classes of the frames of a spectrogram, float32 [count, classes].

        A frame has the class of the event that includes its middle. Classes of overlapping events have
        equal shares. A frame without an event has zeros: its class is unknown.

        Args:
            timeline: events of a recording, including background.
            labels: the classes.
            begin: time of the first frame in seconds.
            count: number of frames.
        """
        middles = begin + np.arange(count) * self.hop
        shares = np.zeros((count, len(labels)), np.float32)
        for event in timeline:
            inside = (event.begin <= middles) & (middles < event.end)
            shares[inside, labels.encode(event.label)[0]] = 1
        return shares / np.maximum(shares.sum(axis=1, keepdims=True), 1)

    def pooled(self, shares: np.ndarray) -> np.ndarray:
        """Return the mean of `shares` over each frame of the model, float32 [frames, classes]."""
        count = len(shares) // self.factor
        return shares[: count * self.factor].reshape(count, self.factor, -1).mean(axis=1)


def joined(parts: Sequence[tuple[int, np.ndarray]]) -> np.ndarray:
    """Return the scores of a recording from those of windows: their mean where windows overlap.

    Args:
        parts: the first frame of each window, and its scores, float [frames, classes]; at least one.

    Returns:
        float32 [frames, classes] from the first frame of the recording; NaN where there is no window.
    """
    size = max(first + len(rows) for first, rows in parts)
    total = np.zeros((size, parts[0][1].shape[1]), np.float32)
    count = np.zeros((size, 1), np.float32)
    for first, rows in parts:
        total[first : first + len(rows)] += rows
        count[first : first + len(rows)] += 1
    with np.errstate(invalid="ignore"):
        return total / count


def smoothed(scores: np.ndarray, spread: int) -> np.ndarray:
    """Return the median of each score and of the `spread` scores before and after it.

    A peak or a gap of at most `spread` frames vanishes; the borders of longer ones do not move.

    Args:
        scores: float [frames, classes].
        spread: number of frames at each side.
    """
    if not spread:
        return scores
    padded = np.pad(scores, ((spread, spread), (0, 0)), mode="edge")
    result = np.empty_like(scores)
    for column, values in enumerate(padded.T):  # one class at a time takes less memory
        spans = np.lib.stride_tricks.sliding_window_view(values, 2 * spread + 1)
        result[:, column] = np.median(spans, axis=1)
    return result
