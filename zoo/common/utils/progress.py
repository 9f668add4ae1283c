"""Progress bars, on stderr so that stdout holds answers alone."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TypeVar

from tqdm import tqdm

Item = TypeVar("Item")


def progress(items: Iterable[Item], what: str, total: int | None, unit: str) -> Iterator[Item]:
    """`items`, with a bar where a person watches and nothing where stderr is a file."""
    return iter(tqdm(items, desc=what, total=total, unit=unit, leave=False, disable=not watched()))


def meter(what: str, total: float, unit: str) -> tqdm:
    """Return a bar to `update` by hand, to be used as a context."""
    return tqdm(desc=what, total=round(total), unit=unit, leave=False, disable=not watched())


def watched() -> bool:
    """Whether stderr is a terminal."""
    return sys.stderr.isatty()


def say(line: str) -> None:
    """Print a line for a person to stderr."""
    print(line, file=sys.stderr, flush=True)
