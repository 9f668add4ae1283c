"""Damage files of several kinds, and classify the results of reading them."""

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
# Additional address space of a reader. A reader that needs more gets a MemoryError.
_MOST_ADDRESSES = 16 * 2**30
# Results that are errors of the reader.
FAULTS = ("traceback", "several lines", "hang", "memory", "changed")


@dataclass(frozen=True)
class Kind:
    """A kind of file and its reader.

    Args:
        name: name of the kind.
        make: writes a small valid file, and files that belong to it, to a folder.
        files: glob pattern of the files to damage, relative to the folder.
        read: reads the folder and returns the content. It may raise `ZooError` only.
        detectable: whether digests or checksums detect all damages. If so, `read` must return the
            original content or raise `ZooError`.
        damage: returns damaged content.
    """

    name: str
    make: Callable[[Path], Any]
    files: str
    read: Callable[[Path], Any]
    detectable: bool = False
    damage: Callable[[bytes, random.Random], bytes] = mutate


@dataclass
class Outcome:
    """The results of damages.

    Args:
        counts: number of damages by result.
        shown: details of the faults.
    """

    counts: Counter[str] = field(default_factory=Counter)
    shown: list[str] = field(default_factory=list)


class _LateError(BaseException):
    """A timeout. It is not an Exception, so that readers do not catch it."""


def damage(kind: Kind, folder: Path, number: int) -> Outcome:
    """Damage one file of a kind at a time, and read the folder after each damage.

    Args:
        kind: the kind. Its name is the seed.
        folder: an empty folder.
        number: number of damages.
    """
    kind.make(folder)
    right = kind.read(folder)
    paths = sorted(path for path in folder.glob(kind.files) if path.is_file())
    generator, outcome = random.Random(kind.name), Outcome()
    with _guarded():
        for _ in range(number):
            path = generator.choice(paths)
            content = path.read_bytes()
            damaged = kind.damage(content, generator)
            path.write_bytes(damaged)
            end = _read(kind, folder, right, outcome)
            if end in FAULTS:
                outcome.shown.append(f"{end}: {path.name}: {damaged[:400]!r}")
            outcome.counts[end] += 1
            path.write_bytes(content)
    return outcome


def _read(kind: Kind, folder: Path, right: Any, outcome: Outcome) -> str:
    """Read a damaged folder, and return the result in a word."""
    started, before = time.monotonic(), _reset_peak()
    signal.alarm(SECONDS)
    try:
        end = "accepted"
        if not same(kind.read(folder), right) and kind.detectable:
            end = "changed"
    except ZooError as error:
        end = "rejected" if "\n" not in str(error) else "several lines"
    except _LateError:
        end = "hang"
    except Exception:
        end = "traceback"
        outcome.shown.append(traceback.format_exc()[-700:])
    finally:
        signal.alarm(0)
    if time.monotonic() - started > SECONDS:  # in C code, which signals do not interrupt
        return "hang"
    return "memory" if _peak() - before > BYTES else end


def same(a: Any, b: Any) -> bool:
    """Return whether two results are equal, including arrays."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple) and isinstance(b, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        return np.array_equal(a, b)
    return a == b


@contextmanager
def _guarded() -> Iterator[None]:
    """Limit the time of readers by a signal, and their memory by a resource limit."""

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
    """Reset the peak of the used memory, and return the bytes in use."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    """Return a number of bytes from the status of this process in Linux."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise KeyError(name)
