"""Recognize channels that cancel each other, such as those of a cable with inverted polarity.

Unrelated channels with powers p have a mean with the power sum(p) / channels ** 2. The code runs on an
array namespace `xp`: `numpy`, or `keras.ops` inside a graph.
"""

from __future__ import annotations

from typing import Any

# Channels cancel each other if the power of their mean is below this share of that of unrelated ones.
CANCELLED = 0.1


def are_cancelled(powers: Any, mixed: Any, xp: Any) -> Any:
    """Return whether channels cancel each other, bool [].

    Args:
        powers: float [channels], the variance of each channel.
        mixed: float [], the variance of their mean.
        xp: array namespace.
    """
    channels = xp.sum(xp.ones_like(powers))
    return mixed * channels * channels < CANCELLED * xp.sum(powers)
