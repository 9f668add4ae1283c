"""Arithmetic of diagonal recurrences, whose numbers are real, or complex as two real tensors."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from keras import ops

# A number of each unit: (real,), or (real part, imaginary part), a tensor each.
Numbers = tuple[Any, ...]
# Maps z [time, batch, width] and parameters to a and b, `Numbers` of [time, batch, units].
Coefficients = Callable[..., tuple[Numbers, Numbers]]


def multiply(x: Numbers, y: Numbers) -> Numbers:
    """Return the elementwise product of real or complex numbers."""
    if len(x) == 1:
        return (x[0] * y[0],)
    return x[0] * y[0] - x[1] * y[1], x[0] * y[1] + x[1] * y[0]


def conjugate(x: Numbers) -> Numbers:
    """Return the complex conjugates."""
    return (x[0], *(-part for part in x[1:]))


def add(x: Numbers, y: Numbers) -> Numbers:
    """Return the elementwise sum."""
    return tuple(a + b for a, b in zip(x, y, strict=True))


def masked(
    coefficients: Coefficients, z: Any, mask: Any, parameters: Sequence[Any]
) -> tuple[Numbers, Numbers]:
    """Return the coefficients, with a = 1 and b = 0 where the mask is False: the state is unchanged."""
    a, b = coefficients(z, *parameters)
    if mask is None:
        return a, b
    one = (ops.ones_like(a[0]), *(ops.zeros_like(part) for part in a[1:]))
    a = tuple(ops.where(mask, part, kept) for part, kept in zip(a, one, strict=True))
    return a, tuple(ops.where(mask, part, ops.zeros_like(part)) for part in b)
