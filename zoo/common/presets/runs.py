"""The run folder: all that one training leaves behind, and what `--resume` goes on from.

recipe.json, assets, model.keras   the best model so far, as a preset keeps it
run.json                           versions, seed, data and its checksum, git commit, command
last.npz                           weights, optimizer, random states, history after an epoch
metrics.csv, curves.png            the history to read and to look at
tensorboard/                       the history for TensorBoard
"""

from __future__ import annotations

import csv
import io
import json
import os
import platform
import shutil
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe, flatten
from zoo.common.utils.files import PART, atomic_file, read_text, write_text

STATE_FILE = "last.npz"
RUN_FILE = "run.json"
CSV_FILE = "metrics.csv"
CURVES_FILE = "curves.png"
HISTORY_KEY = "history"
PACKAGES = ("recurrent-zoo", "tensorflow", "jax", "torch", "keras", "numpy")


def provenance() -> dict[str, Any]:
    """Return versions, git commit and time: what a figure came out of."""
    versions = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return {
        "versions": versions,
        "commit": _commit(),
        "date": datetime.now(UTC).strftime("%Y-%m-%d"),
    }


def _commit() -> str | None:
    """The commit the zoo's own code stands at, with "+changes" if it was changed since."""
    here = Path(__file__).resolve().parent

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(here), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changed = git("status", "--porcelain", "--untracked-files=no", "--", ":/zoo")
        return git("rev-parse", "--short=12", "HEAD") + ("+changes" if changed else "")
    except (OSError, subprocess.CalledProcessError):
        return None


def check_folder(folder: Path, resume: bool) -> None:
    """Raise `ZooError` unless a run can begin in `folder`, or go on in it."""
    if resume:
        if not os.path.exists(folder / RUN_FILE):
            raise ZooError(f"There is nothing to resume: {folder / RUN_FILE} does not exist.")
    elif os.path.isfile(folder) or (os.path.isdir(folder) and os.listdir(folder)):
        raise ZooError(
            f"{folder} exists already. Go on with it (--resume) or name another (--out)."
        )


def has_epochs(folder: Path) -> bool:
    """Return whether a run has finished an epoch, to go on from."""
    return (folder / STATE_FILE).exists() or (folder / CSV_FILE).exists()


def clear_unfinished(folder: Path) -> None:
    """Remove what a killed process was writing."""
    for path in folder.glob(PART + "*"):
        path.unlink()


def check_same_run(folder: Path, record: dict[str, Any]) -> None:
    """Raise `ZooError` unless a run to be resumed was begun with what `record` holds."""
    path = folder / RUN_FILE
    before = read_json(path)
    if not isinstance(before, dict):
        raise ZooError(f"{path} is corrupt: it records no run.")
    before = dict(flatten(before))
    for key, value in flatten(record):
        # A corpus may have moved: its checksum tells whether it is the same.
        if key != "data" and before.get(key) != value:
            raise ZooError(
                f"{folder} cannot be resumed: its {key} was {before.get(key)!r}. "
                f"Received: {value!r}."
            )


def begin(
    recipe: Recipe, examples: list[Any], folder: Path, resume: bool, record: dict[str, Any] | None
) -> dict[str, Any]:
    """Check that a run can begin in a folder, or go on in it, and return what run.json records.

    Args:
        examples: those of train and dev. record: what else is recorded.

    Raises:
        ZooError: it cannot.
    """
    record = {
        "recipe": recipe.to_dict(),
        "data_checksum": recipe.data.checksum(examples),
        **(record or {}),
    }
    check_folder(folder, resume)
    if resume:
        check_same_run(folder, record)
        clear_unfinished(folder)
    return record


@contextmanager
def event_log(folder: Path) -> Iterator[Callable[[dict[str, float]], None]]:
    """Give a function that writes a row of a history for TensorBoard."""
    from tensorboard.summary import Writer

    writer = Writer(str(folder / "tensorboard"))

    def write(row: dict[str, float]) -> None:
        for name, value in row.items():
            writer.add_scalar(name, float(value), int(row["epoch"]))
        writer.flush()

    try:
        yield write
    finally:
        writer.close()


@contextmanager
def started(folder: Path, record: dict[str, Any]) -> Iterator[None]:
    """Give a run's folder its run.json. If the block fails before an epoch was finished, the folder is
    removed."""
    if not os.path.exists(folder / RUN_FILE):  # unlike Path.exists, no error for a name too long
        write_json(folder / RUN_FILE, record | provenance())
    try:
        yield
    except Exception:
        if not has_epochs(folder):
            shutil.rmtree(folder, ignore_errors=True)
        raise


def save_state(folder: Path, variables: list, history: list[dict[str, float]]) -> None:
    """Write weights, optimizer and random states with the history, in one file, atomically."""
    arrays = {f"v{i:04}": np.asarray(variable) for i, variable in enumerate(variables)}
    arrays[HISTORY_KEY] = np.frombuffer(json.dumps(history).encode(), np.uint8)
    with atomic_file(folder / STATE_FILE) as path:
        np.savez(path, **arrays)


def load_state(folder: Path, variables: list) -> list[dict[str, float]]:
    """Put the saved states back into `variables` and return the history.

    Raises:
        ZooError: there is no state, it is corrupt, or belongs to another model.
    """
    path = folder / STATE_FILE
    if not path.exists():
        raise ZooError(f"There is nothing to resume: {path} does not exist.")
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = {name: file[name] for name in file.files}
        history = json.loads(arrays.pop(HISTORY_KEY).tobytes())
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ZooError(f"{path} is corrupt: {error}.") from None
    shapes = [tuple(array.shape) for array in arrays.values()]
    if shapes != [tuple(variable.shape) for variable in variables]:
        raise ZooError(f"{path} belongs to another model than this recipe builds.")
    for variable, array in zip(variables, arrays.values(), strict=True):
        variable.assign(array)
    return history


def write_history(folder: Path, history: list[dict[str, float]]) -> None:
    """Write a history as metrics.csv."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(history[0]))
    writer.writeheader()
    writer.writerows(history)
    write_text(folder / CSV_FILE, text.getvalue())


def read_history(folder: Path) -> list[dict[str, float]]:
    """Return the rows of metrics.csv. Raises `ZooError` if it is missing or corrupt."""
    try:
        with (folder / CSV_FILE).open(encoding="utf-8", newline="") as file:
            return [
                {key: float(value) for key, value in row.items()} for row in csv.DictReader(file)
            ]
    except (OSError, ValueError, TypeError) as error:
        raise ZooError(f"{folder / CSV_FILE} is missing or corrupt: {error}.") from None


def write_json(path: Path, value: Any) -> None:
    """Write readable JSON atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of a run or preset. Raises `ZooError` if it is missing or corrupt."""
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ZooError(f"{path} is corrupt: it is not JSON: {error}.") from None
