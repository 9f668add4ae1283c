"""Common code of the runtimes of exported files: one-line errors, and files by name."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from zoo.common.core.errors import ExportError, ZooError
from zoo.common.core.model import Function


def guarded(path: Path, runtime: str, names: Iterable[str]) -> Callable[[Function], Function]:
    """Return a decorator that turns the errors of a graph into one-line messages.

    Args:
        path: path of the exported file.
        runtime: name of the runtime.
        names: names of the inputs.
    """

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def run(**inputs: np.ndarray) -> dict[str, np.ndarray]:
            if not set(names) <= set(inputs):
                raise ExportError(
                    f"{path} does not fit the preset: it takes {', '.join(names)}. "
                    f"Received: {', '.join(inputs)}. Export it again."
                )
            try:
                return function(**inputs)
            except Exception as error:  # each runtime has its own exceptions
                raise ZooError(f"{path}: {runtime} cannot run it: {_line(error)}") from error

        return run

    return decorate


# Parts of the messages of runtimes about an operation that they do not have.
_LACKS_OPERATION = (
    "Could not find an implementation for",
    "is not a registered function/op",
    "Didn't find op for builtin opcode",
    "unresolved custom op",
)


def corrupt(path: Path, runtime: str, error: Exception) -> ExportError:
    """Return the error about a file that a runtime cannot open, as it is corrupt or too new."""
    if any(words in str(error) for words in _LACKS_OPERATION):
        return ExportError(
            f"{path} needs an operation that this version of {runtime} does not have. Upgrade it, or "
            f"export in another precision. ({_line(error)})"
        )
    return ExportError(
        f"{path} is corrupt: {runtime} cannot open it. Export it again. ({_line(error)})"
    )


def _line(error: Exception) -> str:
    """Return an error as one line: of a check in a TensorFlow graph, its message only."""
    text = " ".join(str(error).split())
    _, _, check = text.partition("assertion failed: ")
    # TensorFlow states the operation and its stack before the reason.
    reason = re.search(r"Node: '[^']*' (.+?) \[\[", text)
    found = check.partition(" [[")[0] or (reason[1] if reason else text)
    return found.removeprefix("Graph execution error: ")[:120]


def open_files(
    folder: Path, suffix: str, function: Callable[[Path], Function]
) -> dict[str, Function]:
    """Return the graphs of the files in a folder by the stems of their names."""
    return {path.stem: function(path) for path in sorted(folder.glob(f"*{suffix}"))}
