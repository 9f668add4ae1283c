"""Show progress on stderr. Only answers are written to stdout."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import Any, TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def progress(items: Iterable[Item], what: str, total: int | None, unit: str) -> Iterator[Item]:
    """Return an iterator over items that draws a progress bar if stderr is a terminal.

    Args:
        items: the items.
        what: description of the work.
        total: number of items; None if it is unknown.
        unit: name of an item.
    """
    return iter(tqdm(items, desc=what, total=total, unit=unit, leave=False, disable=not watched()))


def meter(what: str, total: float, unit: str) -> tqdm[Any]:
    """Return a progress bar with a method `update(amount)`, for use as a context manager.

    Args:
        what: description of the work.
        total: the amount at the end.
        unit: name of the unit of the amount, such as "B" for bytes.
    """
    return tqdm(
        desc=what,
        total=round(total),
        unit=unit,
        unit_scale=unit == "B",
        leave=False,
        disable=not watched(),
    )


def watched() -> bool:
    """Return whether stderr is a terminal."""
    return sys.stderr.isatty()


def say(line: str) -> None:
    """Print a line to stderr."""
    print(line, file=sys.stderr, flush=True)
