"""Segmentation of long signals: overlapping windows, and sounds between pauses.

Both read blocks of samples, in memory that does not depend on the length of the signal.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

# Duration of a frame of levels in seconds, and number of frames whose mean power is the level of one.
FRAME = 0.01
SMOOTHED_FRAMES = 5
# Levels in dB: the level of zero samples, and the minimum level of sound.
ZERO_LEVEL, MIN_LEVEL = -120.0, -60.0
# Sound is at most this many dB below the loudest level, and at least this many dB above the noise.
RANGE, ABOVE_NOISE = 35.0, 8.0
# Maximum power of digital silence, after resampling too.
DIGITAL = 1e-10
# In dB. A signal whose levels differ by less has no pauses: it is noise or a tone.
CONTRAST = 12.0
# In dB. Maximum decrease of the loudest level from one section to the next.
DECAY = 6.0
# Duration in seconds of a section in which levels are compared.
SECTION = 60.0

# The number of the first sample in the signal, and samples float32 [samples].
Span = tuple[int, np.ndarray]


def windows(blocks: Iterable[np.ndarray], size: int, hop: int) -> Iterator[Span]:
    """Yield windows of a signal. The last one ends at the end of the signal, so none is padded.

    Args:
        blocks: the signal, float32 [samples] each, in order.
        size: number of samples in a window.
        hop: number of samples between the begins of two windows, at most `size`.

    Yields:
        Spans of `size` samples; the whole signal if it is shorter.
    """
    begin, held = 0, np.zeros(0, np.float32)
    before = held  # the samples that were dropped last, for the window at the end
    for block in blocks:
        held = np.concatenate([held, block])
        offset = 0
        while len(held) - offset >= size:
            yield begin + offset, held[offset : offset + size]
            offset += hop
        if offset:
            before = held[offset - hop : offset]
            begin, held = begin + offset, held[offset:]
    covered = size - hop if len(before) else 0
    if len(held) > covered:
        last = np.concatenate([before, held])[-size:]
        yield begin + len(held) - len(last), last


def equal_blocks(blocks: Iterable[np.ndarray], size: int) -> Iterator[np.ndarray]:
    """Yield the samples of blocks of any size in blocks of `size` samples; the last may be smaller."""
    held: list[np.ndarray] = []
    missing = size
    for block in blocks:
        while len(block) >= missing:
            yield np.concatenate([*held, block[:missing]])
            block, held, missing = block[missing:], [], size
        held.append(block)
        missing -= len(block)
    if missing < size:
        yield np.concatenate(held)


@dataclass(frozen=True)
class PauseSegmentation:
    """Segment a recording at pauses, which are found by energy.

    Args:
        rate: sample rate in Hz.
        min_pause: minimum duration in seconds of a pause between two segments.
        margin: maximum duration in seconds of the part of a pause that belongs to each segment.
        max_segment: maximum duration in seconds of a segment; a longer one is cut where it is quietest.
    """

    rate: int
    min_pause: float
    margin: float
    max_segment: float

    def segments(self, blocks: Iterable[np.ndarray]) -> Iterator[Span]:
        """Yield the sounds of a signal, in order.

        Levels are compared within a section of the signal. Sound is above the noise and not far below
        the loudest level, including that of earlier sections; see `_threshold`.

        Args:
            blocks: the signal, float32 [samples] each, in order.
        """
        # Blocks of one size: the sections, and so the segments, do not depend on how a file is decoded.
        waiting, ended = equal_blocks(blocks, self.rate), False
        begin, held, top = 0, np.zeros(0, np.float32), ZERO_LEVEL
        while not ended:
            held, ended = _fill(held, waiting, round(SECTION * self.rate))
            powers = _powers(held, self._hop)
            levels = _levels(powers)
            top = max(levels.max(initial=ZERO_LEVEL), top - DECAY)
            found, rest = self._find(powers, levels, _threshold(levels, top), ended)
            for first, end in found:
                # Samples after the last whole frame belong to the last segment.
                stop = len(held) if ended and end == len(powers) else end * self._hop
                yield begin + first * self._hop, held[first * self._hop : stop]
            begin, held = begin + rest * self._hop, held[rest * self._hop :]

    @property
    def _hop(self) -> int:
        return max(1, round(FRAME * self.rate))

    def _find(
        self, powers: np.ndarray, levels: np.ndarray, threshold: float, ended: bool
    ) -> tuple[list[tuple[int, int]], int]:
        """Return (first frame, end) of each complete segment, and the frame where the rest begins."""
        min_pause, margin, max_segment = (
            round(seconds / FRAME) for seconds in (self.min_pause, self.margin, self.max_segment)
        )
        count, done = len(powers), 0
        found: list[tuple[int, int]] = []
        for first, end in _runs(levels > threshold, min_pause):
            first = max(done, _extend(powers, first, -margin))
            is_complete = ended or end + min_pause <= count
            if is_complete:
                end = _extend(powers, end, margin)
            while end - first > max_segment:
                half = first + max_segment // 2
                cut = half + int(np.argmin(levels[half : first + max_segment])) + 1
                found.append((first, cut))
                first = cut
            if not is_complete:
                return found, first
            found.append((first, end))
            done = end
        return found, count if ended else max(done, count - margin)


def _fill(held: np.ndarray, waiting: Iterator[np.ndarray], size: int) -> tuple[np.ndarray, bool]:
    """Return `held` with blocks up to at least `size` samples, and whether the blocks ended."""
    blocks, total = [held], len(held)
    while total < size:
        block = next(waiting, None)
        if block is None:
            return np.concatenate(blocks), True
        blocks.append(block)
        total += len(block)
    return np.concatenate(blocks), False


def _powers(samples: np.ndarray, hop: int) -> np.ndarray:
    """Return the power of each frame of `hop` samples without its mean, float64 [frames]."""
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop).astype(np.float64)
    return frames.var(axis=1)


def _levels(powers: np.ndarray) -> np.ndarray:
    """Return the mean power around each frame, in dB of full scale."""
    if not len(powers):
        return powers
    kernel = np.full(min(SMOOTHED_FRAMES, len(powers)), 1 / SMOOTHED_FRAMES)
    return 10 * np.log10(np.convolve(powers, kernel, "same") + 10 ** (ZERO_LEVEL / 10))


def _threshold(levels: np.ndarray, top: float) -> float:
    """Return the minimum level of sound in dB, where the loudest level is `top`."""
    audible = levels[levels > ZERO_LEVEL + 1]
    if top < MIN_LEVEL or not len(audible):
        return np.inf
    noise = np.percentile(audible, 10)
    if top - noise < CONTRAST:
        return ZERO_LEVEL + 1
    return max(noise + ABOVE_NOISE, top - RANGE)


def _runs(loud: np.ndarray, min_pause: int) -> list[tuple[int, int]]:
    """Return (first, end) of each run of true values. Runs less than `min_pause` apart are joined."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for first, end in edges.reshape(-1, 2).tolist():
        if runs and first - runs[-1][1] < min_pause:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((first, end))
    return runs


def _extend(powers: np.ndarray, frame: int, margin: int) -> int:
    """Return the frame `margin` frames into a pause, or where digital silence begins."""
    step = 1 if margin > 0 else -1
    pause = (
        powers[frame : frame + margin] if step > 0 else powers[max(0, frame + margin) : frame][::-1]
    )
    silent = np.flatnonzero(pause <= DIGITAL)
    return frame + step * (int(silent[0]) if len(silent) else len(pause))
