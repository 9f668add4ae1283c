"""Lineage: the trainings of a preset's weights, including those before `--init`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import best
from zoo.common.core.recipe import Recipe, settings
from zoo.common.presets import runs, store

# Key of run.json and metrics.json: the earlier trainings, in order.
EARLIER = "earlier"
# The parts of a recipe that define its training.
SCHEDULE = ("optimizer.", "training.")


def summarize(run: Path, recipe: Recipe) -> dict[str, Any]:
    """Return number of epochs, best epoch and minutes of a run.

    Raises:
        ZooError: its history is missing or corrupt.
    """
    history = runs.read_history(run)
    try:
        return {
            "epochs": len(history),
            "best_epoch": int(best(history, recipe.task.monitor)["epoch"]),
            "minutes": round(sum(row["seconds"] for row in history) / 60, 1),
        }
    except KeyError as error:
        raise ZooError(f"The history of {run} is corrupt: it has no {error}.") from None


def trainings(folder: Path) -> list[dict[str, Any]]:
    """Return the trainings of the weights of a preset or run, JSON-ready.

    Each has `history` as in `summarize`, and `settings` of optimizer and training by dotted key.

    Raises:
        ZooError: a file is missing or corrupt.
    """
    recipe = store.load_recipe(folder)
    if (path := folder / store.METRICS_FILE).exists():
        metrics = runs.read_json(path)
        record = metrics.get("training") if isinstance(metrics, dict) else None
        history = record.get("history") if isinstance(record, dict) else None
    elif (path := folder / runs.RUN_FILE).exists():
        record, history = runs.read_json(path), summarize(folder, recipe)
    else:
        return []  # weights without a record
    earlier = record.get(EARLIER, []) if isinstance(record, dict) else None
    if not isinstance(earlier, list) or not isinstance(history, dict):
        raise ZooError(f"{path} is corrupt: it is not the record of a training.")
    return [*earlier, {"history": history, "settings": schedule(recipe)}]


def schedule(recipe: Recipe) -> dict[str, Any]:
    """Return the settings of a recipe's optimizer and training by dotted key."""
    found = settings(recipe).items()
    return {key: value for key, value in found if key.startswith(SCHEDULE)}
