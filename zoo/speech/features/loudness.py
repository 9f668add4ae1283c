"""The loudness of a recording, so that its features do not depend on the level.

The energy e_t of a frame is the mean of its power over the mel filters. The loudness of a recording is
the mean of these energies, each with the energy itself as its weight:

    P = (e_1^2 + ... + e_T^2) / (e_1 + ... + e_T)

It is near the energy of the loud frames, is proportional to the power of the recording, and does not
change with silence before, within or after the sound. It needs only sums, so a model that steps through
time has the loudness so far.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

from zoo.common.core.states import StateSpec
from zoo.common.layers.masks import frame_mask
from zoo.speech.features.running_normalization import DEVIATION_FLOOR

if TYPE_CHECKING:
    from keras import KerasTensor

ENERGY, ENERGY_SQUARE, EXPECTED = "energy", "energy_square", "expected_loudness"
WEIGHT, MEAN, SQUARE = "mel_weight", "mel_mean", "mel_square"
# The loudness so far is at least LEAST, about 40 dB below that of AN4's recordings. At the begin it is
# at least TYPICAL, that of AN4's recordings, which falls by 0.4 dB in each frame: noise before speech
# stays low.
LEAST, TYPICAL, FALL = 1e-3, 8.0, -0.04 * math.log(10)
# The least energy, and the least sum of energies or weights that is divided by.
TINY = 1e-30
# A frame counts e_t^EXPONENT in running statistics: noise 40 dB below speech a quarter.
EXPONENT = 0.15
# The prior: mean, relative to the logarithm of the loudness, and deviation of log-mel values of speech
# at a close microphone (frames of AN4's recordings that are not silent).
PRIOR_MEAN, PRIOR_DEVIATION = -7.0, 3.5


def without_offset(waveform: KerasTensor, lengths: KerasTensor) -> KerasTensor:
    """Return recordings minus their means.

    Args:
        waveform: float32 [batch, samples].
        lengths: int32 [batch], number of samples of each row.
    """
    from keras import ops

    inside = ops.cast(frame_mask(ops.expand_dims(waveform, -1), lengths), "float32")
    count = ops.maximum(ops.sum(inside, axis=1, keepdims=True), 1.0)
    return waveform - ops.sum(waveform * inside, axis=1, keepdims=True) / count


def recording_loudness(power: KerasTensor, weight: KerasTensor) -> KerasTensor:
    """Return the loudness of whole recordings, float32 [batch, 1, 1].

    Args:
        power: float32 [batch, frames, mel_bins].
        weight: float32 [batch, frames, 1], 1 for a frame that is not padding, else 0.
    """
    from keras import ops

    energy = _energy(power) * weight
    total = ops.maximum(ops.sum(energy, axis=1, keepdims=True), TINY)
    return ops.sum(energy * (energy / total), axis=1, keepdims=True)


def relative_log(power: KerasTensor, loudness: KerasTensor, dynamic_range: float) -> KerasTensor:
    """Return ln(power / loudness + floor), with the floor `dynamic_range` dB below the loudness."""
    from keras import ops

    return ops.log(power / ops.maximum(loudness, TINY) + _floor(dynamic_range))


def is_sound(power: KerasTensor, loudness: KerasTensor, dynamic_range: float) -> KerasTensor:
    """Return 1 for each frame with an energy above the floor of `relative_log`, else 0.

    Args:
        power: float32 [batch, frames, mel_bins].
        loudness: float32 [batch, 1, 1].
        dynamic_range: as in `relative_log`.

    Returns:
        float32 [batch, frames, 1].
    """
    from keras import ops

    return ops.cast(_energy(power) > _floor(dynamic_range) * loudness, "float32")


def loudness_states(mel_bins: int) -> tuple[StateSpec, ...]:
    """Return the states of `normalize_by_loudness`.

    They are the sums of energies and of their squares, the expected loudness, the sum of the weights of
    the frames, and for each filter the weighted means of its values and of their squares.
    """
    return (
        StateSpec(ENERGY, (1,)),
        StateSpec(ENERGY_SQUARE, (1,)),
        StateSpec(EXPECTED, (1,), initial=TYPICAL),
        StateSpec(WEIGHT, (1,)),
        StateSpec(MEAN, (mel_bins,)),
        StateSpec(SQUARE, (mel_bins,)),
    )


def normalize_by_loudness(
    power: KerasTensor,
    states: Mapping[str, KerasTensor | float],
    dynamic_range: float,
    prior_frames: float,
) -> tuple[KerasTensor, dict[str, KerasTensor]]:
    """Return each filter normalized over its frames up to each frame, including earlier parts.

        P_t = (e_1^2 + ... + e_t^2) / (e_1 + ... + e_t), at least 0.001 and 8 / 10^0.04t
        y_t = ln(power + floor P_t)                          w_t = e_t^0.15
        v_t = n_0 P_t^0.15                                   c_t = ln P_t - 7
        m_t = (v_t c_t + w_1 y_1 + ... + w_t y_t) / (v_t + w_1 + ... + w_t)
        q_t = (v_t (c_t^2 + 3.5^2) + w_1 y_1^2 + ... + w_t y_t^2) / (v_t + w_1 + ... + w_t)
        x_t = (y_t - m_t) / (sqrt(q_t - m_t^2) + 0.1)

    Silence has a weight of nearly 0, so it changes neither loudness nor statistics. If the loudness
    rises because speech begins, the prior and the speech outweigh the noise before it.

    Args:
        power: float32 [batch, time, mel_bins].
        states: states of `loudness_states` by name, float32 [batch, 1] or [batch, mel_bins], or numbers.
        dynamic_range: the floor of the power in dB below the loudness.
        prior_frames: n_0, the weight of the prior as a number of frames at the loudness so far.

    Returns:
        The features, float32 [batch, time, mel_bins], and the states after the last frame.
    """
    from keras import ops

    before = {
        spec.name: state
        if isinstance(state := states[spec.name], float)
        else ops.expand_dims(state, 1)
        for spec in loudness_states(power.shape[-1])
    }
    energy = _energy(power)
    total = ops.cumsum(energy, axis=1) + before[ENERGY]
    squares = ops.cumsum(ops.square(energy), axis=1) + before[ENERGY_SQUARE]
    frames = ops.cumsum(ops.ones_like(energy), axis=1)
    expected = before[EXPECTED] * ops.exp(FALL * frames)
    least = ops.maximum(expected, LEAST)
    loudness = ops.maximum(squares / ops.maximum(total, TINY), least)
    values = ops.log(power + _floor(dynamic_range) * loudness)

    weight = _weight(energy)
    weights = ops.cumsum(weight, axis=1) + before[WEIGHT]
    prior = prior_frames * _weight(loudness)
    prior_mean = ops.log(loudness) + PRIOR_MEAN

    def so_far(name, values):
        return ops.cumsum(values * weight, axis=1) + before[WEIGHT] * before[name]

    sums, square_sums = so_far(MEAN, values), so_far(SQUARE, ops.square(values))
    divisor = ops.maximum(weights + prior, TINY)
    mean = (sums + prior * prior_mean) / divisor
    square = (square_sums + prior * (ops.square(prior_mean) + PRIOR_DEVIATION**2)) / divisor
    variance = ops.maximum(square - ops.square(mean), 0.0)  # rounding can make it negative
    features = (values - mean) / (ops.sqrt(variance) + DEVIATION_FLOOR)
    divisor = ops.maximum(weights, TINY)
    following = {
        ENERGY: total,
        ENERGY_SQUARE: squares,
        EXPECTED: expected,
        WEIGHT: weights,
        MEAN: sums / divisor,
        SQUARE: square_sums / divisor,
    }
    return features, {name: state[:, -1] for name, state in following.items()}


def _energy(power: KerasTensor) -> KerasTensor:
    from keras import ops

    return ops.mean(power, axis=-1, keepdims=True)


def _weight(energy: KerasTensor) -> KerasTensor:
    from keras import ops

    return ops.exp(EXPONENT * ops.log(ops.maximum(energy, TINY)))


def _floor(dynamic_range: float) -> float:
    return math.pow(10, -dynamic_range / 10)
