"""The exception for errors that a user can correct, and common checks."""

import difflib
import math
from collections.abc import Iterable
from typing import Any

# Least similarity of a name that a message proposes, from 0 to 1, and most names that it lists.
NEAR = 0.6
MAX_NAMES = 20


class ZooError(ValueError):
    """An error in the input, the data or the request, described in one line.

    The message says what is wrong, what is valid and what was received. The command line prints it and
    exits with status 1. Any other exception is a defect of the zoo.
    """


class ExportError(ZooError):
    """An export that is damaged, incomplete or of another preset, so that it cannot answer any input."""


def check_range(
    name: str,
    value: float,
    *,
    above: float | None = None,
    at_least: float | None = None,
    below: float | None = None,
    at_most: float | None = None,
) -> None:
    """Check that a number is finite and in a range.

    Args:
        name: name of the number in the error, such as "optimizer.learning_rate".
        value: the number.
        above: exclusive lower bound.
        at_least: inclusive lower bound.
        below: exclusive upper bound.
        at_most: inclusive upper bound.

    Raises:
        ZooError: the number is outside the range. The message has the range and the number.
    """
    bounds = (
        ("above", above, lambda bound: value > bound),
        ("at least", at_least, lambda bound: value >= bound),
        ("below", below, lambda bound: value < bound),
        ("at most", at_most, lambda bound: value <= bound),
    )
    given = [(word, bound, inside) for word, bound, inside in bounds if bound is not None]
    # math.isfinite raises OverflowError for large integers.
    finite = isinstance(value, int) or math.isfinite(value)
    if not finite or not all(inside(bound) for _, bound, inside in given):
        valid = " and ".join(f"{word} {bound:,}" for word, bound, _ in given) or "a finite number"
        raise ZooError(f"{name} must be {valid}. Received: {str(value)[:80]}.")


def check_choice(name: str, value: Any, valid: Iterable[Any]) -> None:
    """Check that a value is one of the valid ones.

    Raises:
        ZooError: it is not. The message has the valid values and the value.
    """
    valid = list(valid)
    if value not in valid:
        raise ZooError(f"{name} must be one of {', '.join(map(repr, valid))}. Received: {value!r}.")


def nearest(name: str, valid: Iterable[str]) -> str:
    """Return the part of an error message with the names that are near a name, or else all valid ones.

    At most `MAX_NAMES` are listed, with the number of others. Of names with a slash, the parts after it
    are compared: a common family does not make them similar.
    """
    valid = sorted(valid)
    parts = {each: each.rpartition("/")[2] for each in valid}
    found = difflib.get_close_matches(name.rpartition("/")[2], set(parts.values()), 3, NEAR)
    close = [each for part in found for each in valid if parts[each] == part]
    if close:
        return "Did you mean " + " or ".join(repr(match) for match in close) + "?"
    listed, others = valid[:MAX_NAMES], len(valid) - MAX_NAMES
    rest = f" and {others} others" if others > 0 else ""
    return "Valid: " + ", ".join(repr(name) for name in listed) + rest + "."
