"""What masks training data gets over its features."""

from __future__ import annotations

from dataclasses import dataclass

from zoo.common.core.errors import check_range


@dataclass(frozen=True)
class SpecAugment:
    """Masks over the features of a training utterance (Park et al. 2019).

    freq_masks, freq_width: int. Bands of mel bins set to their mean, and the most bins in one.
    time_masks, time_width: int. Spans of frames set to their mean, and the most frames in one.
    time_share: float. The most of an utterance that one span may cover.
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
