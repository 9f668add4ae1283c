"""What the runtimes of exported files have in common: errors in one line, files by name."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from zoo.common.core.errors import ExportError, ZooError
from zoo.common.core.model import Function


def guarded(path: Path, runtime: str, names: Iterable[str]) -> Callable[[Function], Function]:
    """Return a decorator: its function tells in one line what is wrong with a file.

    Args:
        path: the file. runtime: what runs it. names: the inputs it takes.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
            if not set(names) <= set(inputs):
                raise ExportError(
                    f"{path} does not fit the preset: it takes {', '.join(names)}. "
                    f"Received: {', '.join(inputs)}. Export it anew."
                )
            try:
                return function(**inputs)
            except Exception as error:  # each runtime raises its own
                raise ZooError(f"{path}: {runtime} cannot run it: {_line(error)}") from error

        return run

    return decorate


def corrupt(path: Path, runtime: str, error: Exception) -> ExportError:
    """Return the error about a file that a runtime cannot open."""
    return ExportError(
        f"{path} is corrupt: {runtime} cannot open it. Export it anew. ({_line(error)})"
    )


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:120]


def open_files(
    folder: Path, suffix: str, function: Callable[[Path], Function]
) -> dict[str, Function]:
    """Return the graphs of the files in a folder, by the names the files are called by."""
    return {path.stem: function(path) for path in sorted(folder.glob(f"*{suffix}"))}
