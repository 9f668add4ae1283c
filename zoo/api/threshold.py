"""Choose the threshold of a decoder on dev, and store it in its run or preset."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.api.options import PresetLike, preset_folder, preset_name
from zoo.api.sources import DEV
from zoo.common.core import registry
from zoo.common.core.capabilities import ThresholdChoice
from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.predictor import Predictor
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.presets.runs import RUN_FILE, read_json, write_json

# Key of run.json, or of metrics.json of a preset: how the threshold was chosen.
CHOSEN = "threshold"


def checked_chooser(preset: PresetLike, recipe: Recipe, split: str | None) -> ThresholdChoice:
    """Return the task of a run or preset, if its threshold can be chosen and stored.

    Args:
        preset: the folder of a run or preset.
        recipe: its recipe.
        split: the given split; None for dev.

    Raises:
        ZooError: the task has no threshold, the split is not dev, or the preset is not a folder.
    """
    if not isinstance(recipe.task, ThresholdChoice):
        raise ZooError(f"{recipe.name} has no threshold.")
    if split not in (None, *DEV):
        raise ZooError(f"A threshold must be chosen on dev. Received: {split!r}.")
    if preset_name(preset) in registry.names() or not _record(preset_folder(preset)).exists():
        raise ZooError(
            "A threshold is stored in a run or preset, which must be given as a folder. "
            f"Received: {preset_name(preset)}."
        )
    return recipe.task


def _record(folder: Path) -> Path:
    """Return the file of a run or preset that states how its threshold was chosen."""
    run = folder / RUN_FILE
    return run if run.exists() else folder / store.METRICS_FILE


def store_threshold(
    folder: Path,
    predictor: Predictor[Any, Any, Any],
    task: ThresholdChoice,
    evaluation: Evaluation,
    examples: list[Any],
) -> str:
    """Choose the threshold, write it into recipe.json and `_record`, and return a line about it.

    Args:
        folder: the folder of a run or preset.
        predictor: its predictor.
        task: the task.
        evaluation: the evaluation on dev.
        examples: the examples of dev.
    """
    options, line = task.choose_threshold(predictor, evaluation, examples)
    recipe = store.load_recipe(folder)
    decoder: Any = recipe.decoder
    store.save_recipe(folder, replace(recipe, decoder=replace(decoder, **options)))
    record = _record(folder)
    write_json(record, read_json(record) | {CHOSEN: line})
    return f"Stored in {folder}: {line}"
