"""Kinds of files to be damaged, and what comes of the damage."""

from __future__ import annotations

import random
import resource
import signal
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from tests.fuzz.mutation import mutate
from zoo.common.core.errors import ZooError

SECONDS, BYTES = 20, 2 * 2**30
# A reader that asks for more than this beside what the process has is given a MemoryError.
_MOST_ADDRESSES = 16 * 2**30
# What must not come of a damage.
FAULTS = ("traceback", "of several lines", "hang", "memory", "changed")


@dataclass(frozen=True)
class Kind:
    """A kind of file, and what reads it.

    name: str. make: fills a folder with a small valid file, and what belongs to it.
    files: str. Those that are damaged, by glob below the folder.
    read: of the folder, to what came of it; raises `ZooError` and nothing else.
    detectable: whether the file tells of every damage that could change what came of it, by digests or
        checksums, so that `read` gives the same as before or refuses.
    """

    name: str
    make: Callable[[Path], Any]
    files: str
    read: Callable[[Path], Any]
    detectable: bool = False


@dataclass
class Outcome:
    """counts: how many damages had which end. shown: of the faults, what tells more."""

    counts: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)


class _LateError(BaseException):
    """No reader catches it."""


def damage(kind: Kind, folder: Path, number: int) -> Outcome:
    """Damage files of a kind one after the other, each time one, and read them.

    Args:
        folder: an empty one. number: how many damages. The kind's name seeds them.
    """
    kind.make(folder)
    right = kind.read(folder)
    paths = sorted(path for path in folder.glob(kind.files) if path.is_file())
    generator, outcome = random.Random(kind.name), Outcome()
    with _guarded():
        for _ in range(number):
            path = generator.choice(paths)
            content = path.read_bytes()
            damaged = mutate(content, generator)
            path.write_bytes(damaged)
            end = _read(kind, folder, right, outcome)
            if end in FAULTS:
                outcome.shown.append(f"{end}: {path.name}: {damaged[:400]!r}")
            outcome.counts[end] += 1
            path.write_bytes(content)
    return outcome


def _read(kind: Kind, folder: Path, right: Any, outcome: Outcome) -> str:
    """How reading ends, in a word."""
    started, before = time.monotonic(), _reset_peak()
    signal.alarm(SECONDS)
    try:
        end = "accepted"
        if not same(kind.read(folder), right) and kind.detectable:
            end = "changed"
    except ZooError as error:
        end = "refused" if "\n" not in str(error) else "of several lines"
    except _LateError:
        end = "hang"
    except Exception:
        end = "traceback"
        outcome.shown.append(traceback.format_exc()[-700:])
    finally:
        signal.alarm(0)
    if time.monotonic() - started > SECONDS:  # in C, where no signal is heard
        return "hang"
    return "memory" if _peak() - before > BYTES else end


def same(a: Any, b: Any) -> bool:
    """Return whether two results are equal, arrays and all."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    return a == b


@contextmanager
def _guarded() -> Iterator[None]:
    """Late readers are stopped, and greedy ones get no more memory than the machine can spare."""

    def late(*_):
        raise _LateError

    before, limits = signal.signal(signal.SIGALRM, late), resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (_status("VmSize") + _MOST_ADDRESSES, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.signal(signal.SIGALRM, before)


def _reset_peak() -> int:
    """Begin to measure the peak of memory anew. Returns the bytes in use now."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    """Bytes, from what Linux says of this process."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(name)
