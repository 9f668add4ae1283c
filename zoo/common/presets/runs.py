"""Run folders: the files of a training, from which `--resume` continues.

recipe.json, assets, model.keras   the best model so far, in the form of a preset
run.json                           versions, seed, data and its checksum, git commit, command
examples.txt                       digests of the examples of train and dev
last.npz                           weights, optimizer, random states, history after an epoch
metrics.csv, curves.png            the history as a table and as a picture
tensorboard/                       the history and the settings for TensorBoard
"""

from __future__ import annotations

import csv
import io
import json
import math
import os
import shutil
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.core.settings import flatten
from zoo.common.presets.provenance import provenance
from zoo.common.utils.files import (
    PART,
    atomic_file,
    check_file,
    clear_parts,
    digest,
    read_text,
    write_text,
)
from zoo.common.utils.locks import LOCK_FILE

STATE_FILE = "last.npz"
RUN_FILE = "run.json"
CSV_FILE = "metrics.csv"
CURVES_FILE = "curves.png"
EVENTS, _SETTINGS = "tensorboard", ".settings"
HISTORY_KEY, MODEL_KEY = "history", "model"
# Upper limit of the size of a history or record.
MAX_RECORD_BYTES = 2**26
_HEADER_BYTES = 4096  # header of an array in a state file


def check_folder(folder: Path, resume: bool) -> None:
    """Raise `ZooError` unless a run can start in `folder`, or continue in it."""
    if resume:
        if not os.path.exists(folder / RUN_FILE):
            raise ZooError(f"Nothing to resume: {folder / RUN_FILE} does not exist.")
    elif os.path.isfile(folder) or (os.path.isdir(folder) and not _left_by_a_killed_run(folder)):
        raise ZooError(
            f"{folder} already exists. Continue it (--resume) or choose another folder (--out)."
        )


def _left_by_a_killed_run(folder: Path) -> bool:
    """Return whether a folder has only the files of a run that was killed at its start."""
    return all(name == LOCK_FILE or name.startswith(PART) for name in os.listdir(folder))


def has_epochs(folder: Path) -> bool:
    """Return whether a run has a complete epoch from which it can continue."""
    return (folder / STATE_FILE).exists() or (folder / CSV_FILE).exists()


# Records that may differ in a resumed run. A corpus may have another path, since its checksum is
# compared. A run may become longer, and its products may have another precision, since its weights
# are float32.
_MAY_CHANGE = (
    "data",
    "recipe.training.epochs",
    "recipe.training.patience",
    "recipe.training.precision",
)
_MAY_CHANGE_GROUP = "arguments."


def check_same_run(folder: Path, record: dict[str, Any]) -> None:
    """Raise `ZooError` unless the run in `folder` was started with the settings in `record`."""
    path = folder / RUN_FILE
    before = read_json(path)
    if not isinstance(before, dict):
        raise ZooError(f"{path} is corrupt: it is not the record of a run.")
    before = dict(flatten(before))
    for key, value in flatten(record):
        fixed = key not in _MAY_CHANGE and not key.startswith(_MAY_CHANGE_GROUP)
        if fixed and before.get(key) != value:
            raise ZooError(
                f"{folder} cannot be resumed: its {key} was {before.get(key)!r}. "
                f"Received: {value!r}."
            )


def begin(
    recipe: Recipe, examples: list[Any], folder: Path, resume: bool, record: dict[str, Any] | None
) -> dict[str, Any]:
    """Check that a run can start in a folder, or continue in it, and return the record for run.json.

    Args:
        recipe: recipe of the run.
        examples: examples of train and dev.
        folder: the run folder.
        resume: whether the run continues.
        record: further records.

    Raises:
        ZooError: the folder exists, or the run was started with other settings.
    """
    record = {
        "recipe": recipe.to_dict(),
        "data_checksum": recipe.data.checksum(examples),
        **(record or {}),
    }
    check_folder(folder, resume)
    if resume:
        check_same_run(folder, record)
    clear_parts(folder)
    if resume:
        _change_plan(folder, record["recipe"])
    return record


def _change_plan(folder: Path, recipe: dict[str, Any]) -> None:
    """Record the new training settings of a run; `planned_before` lists the earlier ones."""
    before = read_json(folder / RUN_FILE)
    if before["recipe"]["training"] != recipe["training"]:
        planned = [*before.get("planned_before", []), before["recipe"]["training"]]
        write_json(folder / RUN_FILE, {**before, "recipe": recipe, "planned_before": planned})


@contextmanager
def event_log(
    folder: Path, settings: Mapping[str, Any]
) -> Iterator[Callable[[dict[str, float]], None]]:
    """Yield a function that writes a row of a history for TensorBoard.

    Args:
        folder: the run folder.
        settings: settings of the run by dotted key, which are written as hyperparameters.
    """
    from tensorboard.summary import Writer

    if not list((folder / EVENTS).glob(f"*{_SETTINGS}")):  # a resumed run has the file
        _write_hyperparameters(folder, settings)
    writer = Writer(str(folder / EVENTS))

    def write(row: dict[str, float]) -> None:
        for name, value in row.items():
            writer.add_scalar(name, float(value), int(row["epoch"]))
        writer.flush()

    try:
        yield write
    finally:
        writer.close()


def _write_hyperparameters(folder: Path, settings: Mapping[str, Any]) -> None:
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.plugins.hparams.summary_v2 import hparams_pb
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    plain = bool | int | float | str
    values = {key: v if isinstance(v, plain) else str(v) for key, v in settings.items()}
    writer = EventFileWriter(str(folder / EVENTS), filename_suffix=_SETTINGS)
    try:
        writer.add_event(Event(summary=hparams_pb(values, trial_id=folder.name)))
    finally:
        writer.close()


@contextmanager
def started(folder: Path, record: dict[str, Any]) -> Iterator[None]:
    """Write run.json into a run folder.

    If the block fails before an epoch is complete, remove the folder.
    """
    if not os.path.exists(folder / RUN_FILE):  # Path.exists raises for a name that is too long
        write_json(folder / RUN_FILE, record | provenance())
    try:
        yield
    except Exception:
        if not has_epochs(folder):
            shutil.rmtree(folder, ignore_errors=True)
        raise


def save_state(
    folder: Path, variables: list, history: list[dict[str, float]], model: Path | None = None
) -> None:
    """Write weights, optimizer state, random states and the history atomically into one file.

    Args:
        folder: the run folder.
        variables: variables of the model, the optimizer and the random generators.
        history: the history.
        model: file of the best model so far, whose digest is stored; see `check_model`.
    """
    arrays = {f"v{i:04}": np.asarray(variable) for i, variable in enumerate(variables)}
    arrays[HISTORY_KEY] = np.frombuffer(json.dumps(history).encode(), np.uint8)
    if model and model.exists():
        arrays[MODEL_KEY] = np.frombuffer(digest(model).encode(), np.uint8)
    with atomic_file(folder / STATE_FILE) as path:
        np.savez(path, allow_pickle=False, **arrays)


def check_model(folder: Path, model: Path) -> None:
    """Check that the best model in a run folder is the one of its history.

    A process that is killed between two writes leaves the model of an epoch that is not in the history.

    Raises:
        ZooError: it is the model of another epoch, or the state is corrupt.
    """
    path = folder / STATE_FILE
    if not path.exists():
        return
    arrays = _read_state(path, {HISTORY_KEY: MAX_RECORD_BYTES, MODEL_KEY: 64})
    # States of earlier versions have no digest.
    if MODEL_KEY in arrays and arrays[MODEL_KEY].tobytes() != digest(model).encode():
        raise ZooError(
            f"{model} is not the model of the last state in {path}: the run was killed before it wrote "
            "the state. Continue it first (zoo train ... --resume)."
        )


def read_state(folder: Path, variables: list) -> tuple[list[dict[str, float]], list[np.ndarray]]:
    """Return the history and the value of each variable in the saved state.

    Raises:
        ZooError: the state is missing or corrupt, or belongs to another model.
    """
    path = folder / STATE_FILE
    if not path.exists():
        raise ZooError(f"Nothing to resume: {path} does not exist.")
    shapes = {f"v{i:04}": tuple(variable.shape) for i, variable in enumerate(variables)}
    largest = {name: 8 * math.prod(shape) for name, shape in shapes.items()}
    arrays = _read_state(path, {**largest, HISTORY_KEY: MAX_RECORD_BYTES})
    history = _history_of(path, arrays.pop(HISTORY_KEY))
    if {name: array.shape for name, array in arrays.items()} != shapes:
        raise ZooError(f"{path} belongs to another model than this recipe builds.")
    return history, [arrays[name] for name in shapes]


def _read_state(path: Path, largest: Mapping[str, int]) -> dict[str, np.ndarray]:
    """Return arrays of a state file.

    Args:
        path: path of the file.
        largest: the maximum number of bytes of each requested array, by name. The file must not have
            other arrays, unless only the history is requested.
    """
    check_file(path)
    try:
        with zipfile.ZipFile(path) as archive:
            sizes = {
                info.filename.removesuffix(".npy"): info.file_size for info in archive.infolist()
            }
        if HISTORY_KEY not in sizes:
            raise ValueError("it has no history")
        records = {HISTORY_KEY, MODEL_KEY}
        other = not set(largest) <= records and set(sizes) - records != set(largest) - records
        if other or any(
            sizes.get(name, 0) > most + _HEADER_BYTES for name, most in largest.items()
        ):
            raise ZooError(f"{path} belongs to another model than this recipe builds.")
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in largest if name in sizes}
    except ZooError:
        raise
    except Exception as error:  # any exception of zipfile, zlib or NumPy for a damaged archive
        raise ZooError(f"{path} is corrupt: {' '.join(str(error).split())[:120]}.") from None


def _history_of(path: Path, content: np.ndarray) -> list[dict[str, float]]:
    try:
        history = json.loads(content.tobytes())
        whole = [row["epoch"] for row in history] == list(range(1, len(history) + 1))
        numbers = all(isinstance(value, int | float) for row in history for value in row.values())
        if not history or not whole or not numbers:
            raise ValueError("its history is invalid")
        return history
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as error:
        raise ZooError(f"{path} is corrupt: {error}.") from None


def write_history(folder: Path, history: list[dict[str, float]]) -> None:
    """Write a history as metrics.csv."""
    text = io.StringIO()
    writer = csv.DictWriter(text, list(history[0]))
    writer.writeheader()
    writer.writerows(history)
    write_text(folder / CSV_FILE, text.getvalue())


def read_history(folder: Path) -> list[dict[str, float]]:
    """Return the rows of a run's history, at least one.

    They are read from the state, if there is one, since metrics.csv is written later and may be
    incomplete after a kill.

    Raises:
        ZooError: both files are missing, or the file is corrupt.
    """
    path = folder / STATE_FILE
    if path.exists():
        return _history_of(path, _read_state(path, {HISTORY_KEY: MAX_RECORD_BYTES})[HISTORY_KEY])
    path = folder / CSV_FILE
    try:
        check_file(path, MAX_RECORD_BYTES)
        with path.open(encoding="utf-8", newline="") as file:
            rows = [
                {key: float(value) for key, value in row.items()} for row in csv.DictReader(file)
            ]
        if not rows or "epoch" not in rows[0]:
            raise ValueError("it has no epochs")
        return rows
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise ZooError(f"{path} is missing or corrupt: {error}.") from None


def write_json(path: Path, value: Any) -> None:
    """Write readable JSON atomically."""
    write_text(path, json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: Path) -> Any:
    """Read a JSON file of a run or preset. Raises `ZooError` if it is missing or corrupt."""
    text = read_text(path)
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ZooError(f"{path} is corrupt: invalid JSON: {error}.") from None
