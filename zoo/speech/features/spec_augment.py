"""SpecAugment: random masks over the features of training examples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from zoo.common.core.errors import check_range


@dataclass(frozen=True)
class SpecAugment:
    """Settings of the masks (Park et al. 2019, without time warping).

    Args:
        freq_masks: number of masks over mel bins.
        freq_width: maximum width of one in bins.
        time_masks: number of masks over frames.
        time_width: maximum width of one in frames.
        time_share: maximum share of a recording that one mask over frames covers.
    """

    freq_masks: int = 2
    freq_width: int = 20
    time_masks: int = 2
    time_width: int = 25
    time_share: float = 0.2

    def __post_init__(self):
        for name in ("freq_masks", "freq_width", "time_masks", "time_width"):
            value = getattr(self, name)
            check_range(f"data.spec_augment.{name}", value, at_least=0, at_most=100_000)
        check_range("data.spec_augment.time_share", self.time_share, at_least=0, below=1)

    @property
    def num_masks(self) -> int:
        """The number of masks of one example."""
        return self.freq_masks + self.time_masks


NO_MASKS = SpecAugment(freq_masks=0, time_masks=0)


def apply_masks(features: Any, frames: Any, draws: Any, config: SpecAugment) -> Any:
    """Return features with masked bins and frames set to 0, which is their mean.

    A mask has a width from 0 to its maximum, and begins at any position where its end is before the last
    bin or frame. Equal draws give equal masks, on every backend and inside `tf.data`.

    Args:
        features: float32 [batch, time, mel_bins].
        frames: int32 [batch], length of each example.
        draws: float32 [batch, masks, 2] in [0, 1), the random numbers that determine width and begin of
            each mask, first of the masks over bins.
        config: maximum widths.

    Returns:
        float32 [batch, time, mel_bins].
    """
    from keras import ops

    draws, frames, bins = ops.convert_to_tensor(draws), ops.cast(frames, "int32"), features.shape[2]
    longest = ops.cast(ops.cast(frames, "float32") * config.time_share, "int32")
    over_bins = (2, bins, min(config.freq_width, bins - 1))
    over_frames = (1, frames, ops.minimum(longest, config.time_width))
    spans = [over_bins] * config.freq_masks + [over_frames] * config.time_masks
    for i, (axis, size, max_width) in enumerate(spans):
        choices = ops.cast(max_width + 1, "float32")
        width = ops.cast(draws[:, i, 0] * choices, "int32")
        begin = ops.cast(draws[:, i, 1] * ops.cast(size - width, "float32"), "int32")
        position = ops.expand_dims(ops.arange(ops.shape(features)[axis]), 0)
        first, end = ops.expand_dims(begin, 1), ops.expand_dims(begin + width, 1)
        inside = ops.logical_and(position >= first, position < end)
        features = ops.where(ops.expand_dims(inside, 3 - axis), 0.0, features)
    return features
