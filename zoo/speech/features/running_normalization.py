"""Running normalization: features normalized over the frames so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from zoo.common.core.states import StateSpec

if TYPE_CHECKING:
    from keras import KerasTensor

# The prior of a filter: mean and deviation of all log-mel values of speech at a close microphone (AN4's
# training recordings).
PRIOR_MEAN, PRIOR_DEVIATION = -6.4, 3.9
# Added to a deviation, so that a filter without sound is not amplified.
DEVIATION_FLOOR = 0.1

COUNT, MEAN, SQUARE = "mel_count", "mel_mean", "mel_square"


def running_states(mel_bins: int, prior_frames: float) -> tuple[StateSpec, ...]:
    """Return the states of `normalize_running`.

    They are the number of frames so far, and for each filter the mean of its values minus the prior
    mean, and the mean of their squares.

    Args:
        mel_bins: number of filters.
        prior_frames: initial number of frames, which have the statistics of the prior.
    """
    return (
        StateSpec(COUNT, (1,), initial=prior_frames),
        StateSpec(MEAN, (mel_bins,)),
        StateSpec(SQUARE, (mel_bins,), initial=PRIOR_DEVIATION**2),
    )


def normalize_running(
    mel: KerasTensor, states: Mapping[str, KerasTensor | float]
) -> tuple[KerasTensor, dict[str, KerasTensor]]:
    """Return each filter normalized over its frames up to each frame, including earlier parts.

        n_t = n_0 + t                                            y = mel - prior mean
        m_t = (n_0 m_0 + y_1 + ... + y_t) / n_t
        q_t = (n_0 q_0 + y_1^2 + ... + y_t^2) / n_t
        x_t = (y_t - m_t) / (sqrt(q_t - m_t^2) + 0.1)

    Args:
        mel: float32 [batch, time, mel_bins].
        states: states of `running_states` by name, float32 [batch, 1] or [batch, mel_bins], or numbers.

    Returns:
        The features, float32 [batch, time, mel_bins], and the states after the last frame.
    """
    from keras import ops

    before = {
        name: state if isinstance(state, float) else ops.expand_dims(state, 1)
        for name, state in states.items()
        if name in (COUNT, MEAN, SQUARE)
    }
    values = mel - PRIOR_MEAN
    count = ops.cumsum(ops.ones_like(mel[:, :, :1]), axis=1) + before[COUNT]

    def so_far(name, values):
        return (ops.cumsum(values, axis=1) + before[COUNT] * before[name]) / count

    mean, square = so_far(MEAN, values), so_far(SQUARE, ops.square(values))
    variance = ops.maximum(square - ops.square(mean), 0.0)  # rounding can make it negative
    features = (values - mean) / (ops.sqrt(variance) + DEVIATION_FLOOR)
    following = {COUNT: count, MEAN: mean, SQUARE: square}
    return features, {name: state[:, -1] for name, state in following.items()}
