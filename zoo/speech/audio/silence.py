"""Silence around a recording: found by energy, and taken off before a model normalises what it hears.

Mean and deviation over a whole utterance are those of its speech only where it is mostly speech: seconds
of silence before a word change every frame of the word. Two things are taken off at each end:

- digital silence, samples that do not leave `DIGITAL`, where it lasts `RUN` or more;
- low noise, where it lasts `QUIET` or more: blocks of 10 ms up to the first that is louder than what the
  end begins with, by a factor `STEP`, or loud at all: within 35 dB of the loudest (20 dB where all
  of them are alike). `MARGIN` stays before the first loud one.

A recording without such ends is left as it is. Written once over an array namespace `xp`: `numpy`, or
`keras.ops` inside a graph.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

DIGITAL = 5e-5  # of full scale: less than two steps of a 16-bit file
RUN = 0.1  # seconds
QUIET = 0.45  # seconds
MARGIN = 0.1  # seconds
LOUD = 10**-3.5  # of the energy of the loudest block
STEADY = 10**-2  # of the same: the most that steady noise may have
STEP = 2.5  # in energy: 4 dB, which steady noise does not vary by from block to block
FLOOR_BLOCKS = 25  # what the level of an end is measured over
BLOCKS_PER_SECOND = 100


def trim(
    waveform: np.ndarray, sample_rate: int, least: int, low_noise: bool = True
) -> tuple[np.ndarray, int]:
    """Return a recording without the silence around it, and how many samples were taken off its start.

    Args:
        waveform: float32 [samples] at `sample_rate` Hz; not silent as a whole.
        least: int. Samples that are needed: where fewer are left, nothing is taken off.
        low_noise: whether low noise is taken off too.
    """
    begin, end = 0, len(waveform)
    for span in _spans(low_noise):
        part = waveform[None, begin:end]
        first, last = span(part, np.array([end - begin], np.int32), sample_rate, np)
        begin, end = begin + int(first[0]), begin + int(last[0])
        if end - begin < least:
            return waveform, 0
    return waveform[begin:end], begin


def trim_batch(
    waveform: Any, lengths: Any, sample_rate: int, least: int, low_noise: bool = True
) -> tuple[Any, Any]:
    """Return a batch of recordings without the silence around each, as `trim`, inside a graph.

    Args:
        waveform: float32 [batch, samples]. lengths: int32 [batch].
        sample_rate, least, low_noise: as of `trim`.

    Returns:
        waveform float32 [batch, samples], 0 beyond each length, and lengths int32 [batch]: 0 for a
        recording that is silent as a whole.
    """
    from keras import ops

    rows, kept = waveform, lengths
    for span in _spans(low_noise):
        first, last = span(rows, kept, sample_rate, ops)
        rows, kept = _cut(rows, first, last, ops), last - first
    whole = (kept < least) & (kept > 0)
    rows = ops.where(whole[:, None], waveform, rows)
    return rows, ops.where(whole, lengths, kept)


def _spans(low_noise: bool) -> tuple[Callable[..., tuple[Any, Any]], ...]:
    return (digital_span, quiet_span) if low_noise else (digital_span,)


def digital_span(waveform: Any, lengths: Any, sample_rate: int, xp: Any) -> tuple[Any, Any]:
    """Return where each recording begins and ends without digital silence, int32 [batch] each.

    Args:
        waveform: float32 [batch, samples]. lengths: int32 [batch]. Both 0 for a silent one.
    """
    samples, run = xp.shape(waveform)[1], int(RUN * sample_rate)
    inside = xp.arange(samples)[None, :] < lengths[:, None]
    sound = xp.array((xp.abs(waveform) > DIGITAL) & inside, dtype="int8")
    begin = _first(sound, xp)
    end = samples - _first(xp.flip(sound, axis=1), xp)
    begin = xp.where(begin >= run, begin, 0)
    end = xp.where(lengths - end >= run, end, lengths)
    silent = xp.max(sound, axis=1) == 0
    return xp.where(silent, 0, begin), xp.where(silent, 0, end)


def quiet_span(waveform: Any, lengths: Any, sample_rate: int, xp: Any) -> tuple[Any, Any]:
    """Return where each recording begins and ends without low noise. Arguments as `digital_span`."""
    block = sample_rate // BLOCKS_PER_SECOND
    count = xp.shape(waveform)[1] // block
    blocks = xp.reshape(waveform[:, : count * block], (xp.shape(waveform)[0], count, block))
    energy = xp.mean(xp.square(blocks), axis=-1)
    number = lengths // block
    place = xp.arange(count)[None, :]
    inside = place < number[:, None]
    energy = xp.where(inside, energy, 0.0)
    loud = LOUD * xp.max(energy, axis=1, keepdims=True)
    backwards = xp.where(inside, number[:, None] - 1 - place, place)
    # Of a recording of zero samples, nothing can be taken off.
    off_begin = xp.minimum(_quiet_blocks(energy, loud, xp) * block, lengths)
    off_end = _quiet_blocks(xp.take_along_axis(energy, backwards, axis=1), loud, xp) * block
    end = xp.where(off_end > 0, number * block - off_end, lengths)
    return off_begin, xp.maximum(end, off_begin)


def _quiet_blocks(energy: Any, loud: Any, xp: Any) -> Any:
    """How many blocks to take off the start, int32 [batch], of energies [batch, blocks]."""
    floor = xp.mean(energy[:, :FLOOR_BLOCKS], axis=1, keepdims=True)
    risen, least = STEP * floor, int(QUIET * BLOCKS_PER_SECOND)
    even = xp.minimum(_before(energy > risen, xp), _before(energy < floor / STEP, xp))
    # Of a weak voice, steady noise may be within 35 dB; speech is not steady for so long.
    steady = (even >= least) & (floor[:, 0] < STEADY / LOUD * loud[:, 0])
    step = xp.where(steady, even, _before(energy > xp.minimum(risen, loud), xp))
    first_loud = _before(energy > xp.where(steady[:, None], xp.maximum(loud, risen), loud), xp)
    off = xp.maximum(xp.minimum(step, first_loud - int(MARGIN * BLOCKS_PER_SECOND)), 0)
    return xp.where(step >= least, off, 0)


def _before(flags: Any, xp: Any) -> Any:
    """How many stand before the first true one of each row, int32 [batch]; all where there is none."""
    flags = xp.array(flags, dtype="int8")
    return xp.where(xp.max(flags, axis=1) == 0, xp.shape(flags)[1], _first(flags, xp))


def _first(flags: Any, xp: Any) -> Any:
    """The index of the first 1 of each row, int32 [batch]; 0 where there is none."""
    return xp.array(xp.argmax(flags, axis=1), dtype="int32")


def _cut(waveform: Any, begin: Any, end: Any, xp: Any) -> Any:
    """Each row from its begin on, 0 beyond its end; the width stays."""
    samples = xp.shape(waveform)[1]
    place = xp.arange(samples)[None, :]
    inside = place < (end - begin)[:, None]
    moved = xp.take_along_axis(waveform, xp.minimum(place + begin[:, None], samples - 1), axis=1)
    return xp.where(inside, moved, 0.0)
