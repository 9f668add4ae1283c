"""Continue a run with its own settings and examples, and say how after an interruption."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.api.display import plural
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.presets import runs

# Key of run.json: the arguments of the training that name examples and weights.
ARGUMENTS = "arguments"
_PATHS = ("data", "manifest", "dev_manifest")


def record_arguments(**arguments: Any) -> dict[str, Any]:
    """Return the arguments of a training as run.json stores them, with absolute paths."""
    return {ARGUMENTS: {key: _plain(key, value) for key, value in arguments.items()}}


def resumed(
    folder: Path, recipe: Recipe, arguments: Mapping[str, Any]
) -> tuple[Recipe, dict[str, Any]]:
    """Return the recipe and the arguments of a run that is continued.

    Args:
        folder: the run folder.
        recipe: the registered recipe.
        arguments: arguments of this call. Those that are not None replace the ones of the run.

    Raises:
        ZooError: the run is missing, corrupt, or one of another recipe.
    """
    record = runs.read_json(folder / runs.RUN_FILE)
    stored = record.get("recipe") if isinstance(record, dict) else None
    if not isinstance(stored, dict):
        raise ZooError(f"{folder / runs.RUN_FILE} is corrupt: it is not the record of a run.")
    if stored.get("name") != recipe.name:
        raise ZooError(
            f"{folder} cannot be resumed: its recipe was {stored.get('name')!r}. "
            f"Received: {recipe.name!r}."
        )
    before = record.get(ARGUMENTS)
    if not isinstance(before, dict):  # a run of an earlier version
        before = {}
    if arguments.get("data") or arguments.get("manifest"):
        before = {key: value for key, value in before.items() if key not in _PATHS}
    given = {key: before.get(key) if value is None else value for key, value in arguments.items()}
    return recipe.merge(stored), given


def how_to_continue(folder: Path, name: str) -> str:
    """Return what an interrupted run keeps, and the command that continues it."""
    kept = "no complete epoch"
    if runs.has_epochs(folder):
        epochs = plural(len(runs.read_history(folder)), "complete epoch")
        kept = f"{epochs} and the best model"
    command = shlex.join(["zoo", "train", name, "--out", str(folder), "--resume"])
    return f"Interrupted: {folder} has {kept}. Continue: {command}"


def _plain(key: str, value: Any) -> Any:
    if isinstance(value, str | Path):
        return os.path.abspath(value) if key in _PATHS else str(value)
    if isinstance(value, Sequence):
        return [_plain(key, item) for item in value]
    return value
