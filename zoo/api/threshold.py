"""Choose the threshold of a detector on dev, and store it in its run."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.api.options import PresetLike, preset_folder, preset_name
from zoo.api.sources import DEV
from zoo.common.core.capabilities import ThresholdChoice
from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.predictor import Predictor
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.presets.runs import RUN_FILE, read_json, write_json

# Key of run.json: how the threshold was chosen.
CHOSEN = "threshold"


def checked_chooser(preset: PresetLike, recipe: Recipe, split: str | None) -> ThresholdChoice:
    """Return the task of a run, if its threshold can be chosen and stored.

    Args:
        preset: the folder of a run.
        recipe: its recipe.
        split: the given split; None for dev.

    Raises:
        ZooError: the task has no threshold, the split is not dev, or the preset is not a run.
    """
    if not isinstance(recipe.task, ThresholdChoice):
        raise ZooError(f"{recipe.name} has no threshold: it is not a classifier.")
    if split not in (None, *DEV):
        raise ZooError(f"A threshold must be chosen on dev. Received: {split!r}.")
    if not (preset_folder(preset) / RUN_FILE).exists():
        raise ZooError(
            f"A threshold is stored in the folder of a run. Received: {preset_name(preset)}, which has "
            f"no {RUN_FILE}."
        )
    return recipe.task


def store_threshold(
    folder: Path,
    predictor: Predictor[Any, Any, Any],
    task: ThresholdChoice,
    evaluation: Evaluation,
    examples: list[Any],
) -> str:
    """Choose the threshold, write it into recipe.json and run.json, and return a line about it.

    Args:
        folder: the folder of a run.
        predictor: its predictor.
        task: the task.
        evaluation: the evaluation on dev.
        examples: the examples of dev.
    """
    options, line = task.choose_threshold(predictor, evaluation, examples)
    recipe = store.load_recipe(folder)
    decoder: Any = recipe.decoder
    store.save_recipe(folder, replace(recipe, decoder=replace(decoder, **options)))
    record = read_json(folder / RUN_FILE)
    write_json(folder / RUN_FILE, record | {CHOSEN: line})
    return f"Stored in {folder}: {line}"
