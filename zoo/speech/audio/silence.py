"""Trim silence at both ends of a recording, before a model normalizes its features.

The mean and deviation over an utterance are those of its speech only if it is mostly speech: seconds of
silence before a word change every frame of the word. At each end are trimmed:

- digital silence, samples within `DIGITAL`, or `FAINT` of the peak of a quiet recording, if it lasts at
  least `RUN`;
- low noise, if it lasts at least `QUIET`: blocks of 10 ms up to the first block that exceeds the level
  at the end by a factor `STEP`, or is loud: within 35 dB of the loudest block (20 dB if all blocks have
  similar levels). `MARGIN` before the first loud block is kept.

A recording without silence at its ends does not change. The code runs on an array namespace `xp`:
`numpy`, or `keras.ops` inside a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

DIGITAL = 5e-5  # of full scale: less than two steps of a 16-bit file
FAINT = 2e-4  # of the peak
RUN = 0.1  # seconds
QUIET = 0.45  # seconds
MARGIN = 0.1  # seconds
LOUD = 10**-3.5  # of the energy of the loudest block
STEADY = 10**-2  # of the energy of the loudest block: maximum of steady noise
STEP = 2.5  # in energy: 4 dB, more than steady noise varies between blocks
FLOOR_BLOCKS = 25  # number of blocks that determine the level of an end
BLOCKS_PER_SECOND = 100


def trim(
    waveform: np.ndarray, sample_rate: int, at_least: int, low_noise: bool = True
) -> tuple[np.ndarray, int]:
    """Return a recording without silence at its ends, and the number of samples trimmed at its begin.

    Args:
        waveform: float32 [samples], with some sound.
        sample_rate: sample rate in Hz.
        at_least: minimum number of samples; if fewer remain, nothing is trimmed.
        low_noise: whether low noise is trimmed, in addition to digital silence.
    """
    begin, end = 0, len(waveform)
    for span in _spans(low_noise):
        part = waveform[None, begin:end]
        first, last = span(part, np.array([end - begin], np.int32), sample_rate, np)
        begin, end = begin + int(first[0]), begin + int(last[0])
        if end - begin < at_least:
            return waveform, 0
    return waveform[begin:end], begin


def trim_batch(
    waveform: Any, lengths: Any, sample_rate: int, at_least: int, low_noise: bool = True
) -> tuple[Any, Any]:
    """Return a batch of recordings trimmed as in `trim`, inside a graph.

    Args:
        waveform: float32 [batch, samples].
        lengths: int32 [batch].
        sample_rate: as in `trim`.
        at_least: as in `trim`.
        low_noise: as in `trim`.

    Returns:
        waveform float32 [batch, samples], 0 after each length, and lengths int32 [batch], 0 for a silent
        recording.
    """
    from keras import ops

    rows, kept = waveform, lengths
    for span in _spans(low_noise):
        first, last = span(rows, kept, sample_rate, ops)
        rows, kept = _cut(rows, first, last, ops), last - first
    whole = (kept < at_least) & (kept > 0)
    rows = ops.where(whole[:, None], waveform, rows)
    return rows, ops.where(whole, lengths, kept)


def _spans(low_noise: bool) -> tuple[Callable[..., tuple[Any, Any]], ...]:
    return (digital_span, quiet_span) if low_noise else (digital_span,)


def digital_span(waveform: Any, lengths: Any, sample_rate: int, xp: Any) -> tuple[Any, Any]:
    """Return the begin and the end of each recording without digital silence, int32 [batch] each.

    Both are 0 for a silent recording.

    Args:
        waveform: float32 [batch, samples].
        lengths: int32 [batch].
        sample_rate: sample rate in Hz.
        xp: array namespace.
    """
    samples, run = xp.shape(waveform)[1], int(RUN * sample_rate)
    inside = xp.arange(samples)[None, :] < lengths[:, None]
    size = xp.where(inside, xp.abs(waveform), 0.0)
    threshold = xp.minimum(FAINT * xp.max(size, axis=1, keepdims=True), DIGITAL)
    sound = xp.array(size > threshold, dtype="int8")
    begin = _first(sound, xp)
    end = samples - _first(xp.flip(sound, axis=1), xp)
    begin = xp.where(begin >= run, begin, 0)
    end = xp.where(lengths - end >= run, end, lengths)
    silent = xp.max(sound, axis=1) == 0
    return xp.where(silent, 0, begin), xp.where(silent, 0, end)


def quiet_span(waveform: Any, lengths: Any, sample_rate: int, xp: Any) -> tuple[Any, Any]:
    """Return the begin and the end of each recording without low noise. Arguments as `digital_span`."""
    block = sample_rate // BLOCKS_PER_SECOND
    count = xp.shape(waveform)[1] // block
    blocks = xp.reshape(waveform[:, : count * block], (xp.shape(waveform)[0], count, block))
    energy = xp.mean(xp.square(blocks), axis=-1)
    number = lengths // block
    position = xp.arange(count)[None, :]
    inside = position < number[:, None]
    energy = xp.where(inside, energy, 0.0)
    loud = LOUD * xp.max(energy, axis=1, keepdims=True)
    backwards = xp.where(inside, number[:, None] - 1 - position, position)
    # A recording without samples is not trimmed.
    off_begin = xp.minimum(_quiet_blocks(energy, loud, xp) * block, lengths)
    off_end = _quiet_blocks(xp.take_along_axis(energy, backwards, axis=1), loud, xp) * block
    end = xp.where(off_end > 0, number * block - off_end, lengths)
    return off_begin, xp.maximum(end, off_begin)


def _quiet_blocks(energy: Any, loud: Any, xp: Any) -> Any:
    """Return the number of blocks to trim at the begin, int32 [batch], of energies [batch, blocks]."""
    floor = xp.mean(energy[:, :FLOOR_BLOCKS], axis=1, keepdims=True)
    risen, at_least = STEP * floor, int(QUIET * BLOCKS_PER_SECOND)
    even = xp.minimum(_before(energy > risen, xp), _before(energy < floor / STEP, xp))
    # Steady noise may be within 35 dB of a weak voice; speech is not steady for so long.
    steady = (even >= at_least) & (floor[:, 0] < STEADY / LOUD * loud[:, 0])
    step = xp.where(steady, even, _before(energy > xp.minimum(risen, loud), xp))
    first_loud = _before(energy > xp.where(steady[:, None], xp.maximum(loud, risen), loud), xp)
    off = xp.maximum(xp.minimum(step, first_loud - int(MARGIN * BLOCKS_PER_SECOND)), 0)
    return xp.where(step >= at_least, off, 0)


def _before(flags: Any, xp: Any) -> Any:
    """Return the number of flags before the first true one of each row, int32 [batch]."""
    flags = xp.array(flags, dtype="int8")
    return xp.where(xp.max(flags, axis=1) == 0, xp.shape(flags)[1], _first(flags, xp))


def _first(flags: Any, xp: Any) -> Any:
    """Return the index of the first 1 of each row, int32 [batch]; 0 if there is none."""
    return xp.array(xp.argmax(flags, axis=1), dtype="int32")


def _cut(waveform: Any, begin: Any, end: Any, xp: Any) -> Any:
    """Return each row from its begin, 0 after its end, with the same width."""
    samples = xp.shape(waveform)[1]
    position = xp.arange(samples)[None, :]
    inside = position < (end - begin)[:, None]
    moved = xp.take_along_axis(waveform, xp.minimum(position + begin[:, None], samples - 1), axis=1)
    return xp.where(inside, moved, 0.0)
