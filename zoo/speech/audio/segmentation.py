"""Long recordings piece by piece: windows that overlap, and stretches of sound between silences.

Both read blocks of samples and hold no more of a recording than they need, however long it is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

# A frame of levels, in seconds, and the frames whose mean power is the level of each.
FRAME = 0.01
SMOOTHED = 5
# dB. The level of no sound at all; the quietest sound that is heard; how far below the loudest there is
# still sound, and how far above the noise.
NOTHING, HEARD = -120.0, -60.0
RANGE, ABOVE_NOISE = 35.0, 8.0
# Power. No more than that is digital silence, whatever was resampled.
DIGITAL = 1e-10
# dB. Sound whose levels differ by less has no pauses: noise or a tone throughout.
CONTRAST = 12.0
# dB. How much the loudest is taken to fall from one section to the next that is quieter.
DECAY = 6.0
# Seconds in which levels are compared.
SECTION = 60.0

Piece = tuple[int, np.ndarray]


def windows(blocks: Iterable[np.ndarray], size: int, hop: int) -> Iterator[Piece]:
    """Yield windows of a signal, the last one where the signal ends, so that none is padded.

    Args:
        blocks: float32 [samples] each, the signal in order.
        size: int. Samples in a window. hop: int. From one window's begin to the next, at most `size`.

    Yields:
        The number of the first sample, and float32 [size]; of a signal shorter than that, all of it.
    """
    begin, held = 0, np.zeros(0, np.float32)
    before = held  # what was dropped last, for the window at the end
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


@dataclass(frozen=True)
class Pauses:
    """Where a recording is parted: at pauses, found by energy.

    rate: int. Samples a second.
    shortest: float. Seconds of a pause that parts two stretches.
    margin: float. The most seconds of a pause that stay with the stretch on each side.
    longest: float. Seconds of a stretch; a longer one is parted where it is quietest.
    """

    rate: int
    shortest: float
    margin: float
    longest: float

    def stretches(self, blocks: Iterable[np.ndarray]) -> Iterator[Piece]:
        """Yield the stretches of sound in a signal, in order.

        The levels of a section of the signal are compared at a time. Sound is what lies above the noise
        and not too far below the loudest, that of earlier sections included; see `_threshold`.

        Args:
            blocks: float32 [samples] each, the signal in order.

        Yields:
            The number of the first sample, and float32 [samples].
        """
        waiting, ended = iter(blocks), False
        begin, held, top = 0, np.zeros(0, np.float32), NOTHING
        while not ended:
            held, ended = _fill(held, waiting, round(SECTION * self.rate))
            levels = _levels(held, self._hop)
            smooth = _smoothed(levels)
            top = max(smooth.max(initial=NOTHING), top - DECAY)
            stretches, rest = self._find(levels, smooth, _threshold(smooth, top), ended)
            for first, last in stretches:
                # What is less than a frame at the end belongs to the last one.
                stop = len(held) if ended and last == len(levels) else last * self._hop
                yield begin + first * self._hop, held[first * self._hop : stop]
            begin, held = begin + rest * self._hop, held[rest * self._hop :]

    @property
    def _hop(self) -> int:
        return max(1, round(FRAME * self.rate))

    def _find(
        self, levels: np.ndarray, smooth: np.ndarray, threshold: float, ended: bool
    ) -> tuple[list[tuple[int, int]], int]:
        """The stretches (first frame, end) that are whole, and the frame where the rest begins."""
        shortest, margin, longest = (
            round(seconds / FRAME) for seconds in (self.shortest, self.margin, self.longest)
        )
        count, done = len(levels), 0
        found: list[tuple[int, int]] = []
        for first, end in _runs(smooth > threshold, shortest):
            first = max(done, _reach(levels, first, -margin))
            whole = ended or end + shortest <= count
            if whole:
                end = _reach(levels, end, margin)
            while end - first > longest:
                half = first + longest // 2
                cut = half + int(np.argmin(smooth[half : first + longest])) + 1
                found.append((first, cut))
                first = cut
            if not whole:
                return found, first
            found.append((first, end))
            done = end
        return found, count if ended else max(done, count - margin)


def _fill(held: np.ndarray, waiting: Iterator[np.ndarray], size: int) -> tuple[np.ndarray, bool]:
    """`held` with as many blocks as make it `size` samples or more, and whether there are no more."""
    blocks, total = [held], len(held)
    while total < size:
        block = next(waiting, None)
        if block is None:
            return np.concatenate(blocks), True
        blocks.append(block)
        total += len(block)
    return np.concatenate(blocks), False


def _levels(samples: np.ndarray, hop: int) -> np.ndarray:
    """float64 [frames]: the power of each frame of `hop` samples, without its mean."""
    frames = samples[: len(samples) // hop * hop].reshape(-1, hop).astype(np.float64)
    return frames.var(axis=1)


def _smoothed(powers: np.ndarray) -> np.ndarray:
    """The mean power around each frame, in dB of full scale."""
    if not len(powers):
        return powers
    kernel = np.full(min(SMOOTHED, len(powers)), 1 / SMOOTHED)
    return 10 * np.log10(np.convolve(powers, kernel, "same") + 10 ** (NOTHING / 10))


def _threshold(levels: np.ndarray, top: float) -> float:
    """The level of the quietest sound among levels in dB, where the loudest has `top`."""
    heard = levels[levels > NOTHING + 1]
    if top < HEARD or not len(heard):
        return np.inf
    noise = np.percentile(heard, 10)
    if top - noise < CONTRAST:
        return NOTHING + 1
    return max(noise + ABOVE_NOISE, top - RANGE)


def _runs(loud: np.ndarray, shortest: int) -> list[tuple[int, int]]:
    """(first, end) of each run of true values; runs with fewer than `shortest` between them are one."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], loud, [False]]).astype(np.int8)))
    runs: list[tuple[int, int]] = []
    for first, end in edges.reshape(-1, 2).tolist():
        if runs and first - runs[-1][1] < shortest:
            runs[-1] = (runs[-1][0], end)
        else:
            runs.append((first, end))
    return runs


def _reach(powers: np.ndarray, frame: int, margin: int) -> int:
    """The frame up to which a stretch reaches into a pause: `margin` frames, or to digital silence."""
    step = 1 if margin > 0 else -1
    beyond = (
        powers[frame : frame + margin] if step > 0 else powers[max(0, frame + margin) : frame][::-1]
    )
    silent = np.flatnonzero(beyond <= DIGITAL)
    return frame + step * (int(silent[0]) if len(silent) else len(beyond))
