"""Run a `zoo` command in its own process, and inject a fault at a chosen write.

The modules below are imported once. Each process is forked afterwards, before TensorFlow starts.
"""

from __future__ import annotations

import errno
import multiprocessing
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import zoo.common.export.litert
import zoo.common.export.savedmodel
import zoo.common.training.counting
import zoo.common.training.least_squares
import zoo.common.training.loop  # noqa: F401 (imported once, for all processes)
from zoo.cli.main import find_verbs, main
from zoo.common.core.registry import entries
from zoo.common.presets import store

find_verbs()
list(entries())

# Audit events that change a folder; `open` does if the mode is for writing.
CHANGES = ("open", "os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.truncate", "shutil.rmtree")
KILL, FULL = "kill", "full"


@dataclass(frozen=True)
class Fault:
    """A fault.

    Args:
        kind: `KILL` for SIGKILL; `FULL` for a disk without free space from then on.
        folder: the folder whose changes are counted.
        number: the fault happens before this change, counted from 1.
    """

    kind: str
    folder: Path
    number: int


@dataclass(frozen=True)
class Outcome:
    """The end of a process.

    Args:
        status: exit status, or the negative signal that ended the process.
        err: its output on stderr.
        changes: number of changes that it made to the folder of its fault.
    """

    status: int
    err: str
    changes: int


def run_zoo(arguments: list[str], log: Path, fault: Fault | None = None, root: Path | None = None):
    """Start a command, and return a function that waits for its `Outcome`.

    Args:
        arguments: arguments of `zoo`.
        log: file for its output on stderr.
        fault: the fault; None for no fault.
        root: the folder of presets; None for the zoo's own.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.child"])
    counted = context.Value("i", 0)
    process = context.Process(target=_work, args=(arguments, log, fault, root, counted))
    process.start()

    def wait() -> Outcome:
        process.join()
        return Outcome(process.exitcode, log.read_text(), counted.value)

    return wait


def _work(arguments, log, fault, root, counted) -> None:
    with open(log, "w") as file, open(os.devnull, "w") as nowhere:
        os.dup2(file.fileno(), 2)
        os.dup2(nowhere.fileno(), 1)
    if root:
        store.ROOT = root
    if fault:
        sys.addaudithook(_hook(fault, counted))
    sys.exit(main([str(argument) for argument in arguments]))


def _hook(fault: Fault, counted):
    below = os.fspath(fault.folder)

    def hook(event: str, arguments: tuple) -> None:
        if event not in CHANGES or not _changes(event, arguments, below):
            return
        counted.value += 1
        if counted.value >= fault.number and fault.kind == KILL:
            os.kill(os.getpid(), signal.SIGKILL)
        adds = event in ("open", "os.mkdir")  # files can still be removed from a full disk
        if counted.value >= fault.number and fault.kind == FULL and adds:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    return hook


def _changes(event: str, arguments: tuple, below: str) -> bool:
    try:
        inside = os.fsdecode(arguments[0]).startswith(below)
    except TypeError:  # a file descriptor
        return False
    if event != "open":
        return inside
    mode, flags = arguments[1], arguments[2]
    writes = any(letter in mode for letter in "wax+") if mode else False
    return inside and (writes or bool(flags & (os.O_WRONLY | os.O_RDWR)))
