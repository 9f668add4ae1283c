"""Evaluate a preset on a split, in any runtime, with any decoder option."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.api.options import (
    PresetLike,
    open_predictor,
    preset_folder,
    preset_name,
    preset_recipe,
    runtime_of,
)
from zoo.api.results import EvaluateResult
from zoo.api.sources import DEV, find_source, source_name
from zoo.api.threshold import checked_chooser, store_threshold
from zoo.api.train import default_folder, train
from zoo.api.train_overlap import select_examples
from zoo.common.core import registry
from zoo.common.core.capabilities import EvaluationPlots
from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.predictor import Predictor
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.runtime import KERAS
from zoo.common.utils.files import atomic_file
from zoo.common.utils.packages import check_packages
from zoo.common.utils.progress import say

# The extra that installs the packages of metrics and plots.
EXTRA = "evaluate"
# Computes an evaluation of examples.
Measure = Callable[[Predictor, list[Any]], Evaluation]


def evaluate(
    preset: PresetLike,
    *,
    data: str | Path | None = None,
    manifest: str | Path | None = None,
    split: str | None = None,
    runtime: str | None = None,
    options: Mapping[str, Any] | None = None,
    rows: str | Path | None = None,
    plots: str | Path | None = None,
    choose_threshold: bool = False,
) -> EvaluateResult:
    """Evaluate a preset or run on a split.

    Args:
        preset: a preset by name, the folder of a run or preset, or a loaded preset. A registered recipe
            that is not shipped is trained first, unless its default run folder exists.
        data: folder of the corpus; None for the one in the package, in ZOO_DATA or in the cache.
        manifest: a list of your own examples to use instead of the corpus.
        split: a split of the corpus, "dev" or "all"; None for the test split, or all of a manifest. Of a
            manifest that a run was trained on, None means the examples that chose its best epoch.
        runtime: "keras", "savedmodel", "onnx", "litert" or "auto"; None for that of a loaded preset,
            otherwise "keras".
        options: options of the preset's decoder, such as `{"beam_width": 8}`.
        rows: a JSON lines file to write, one line per example.
        plots: a folder for plots.
        choose_threshold: whether to choose a threshold on dev and to store it in the run: of a
            classifier `min_confidence`, by the F1 of the classes; of a model that generates texts
            `warn_below`, the confidence of its answers to all but 1 % of dev.

    Raises:
        ZooError: there is no such preset, split, runtime or option, a package of the metrics is not
            installed, or a file cannot be written.

    Examples:
        >>> import zoo
        >>> result = zoo.evaluate("language/charlstm-hello", split="dev")
        >>> list(result.metrics)
        ['nats_per_char']
    """
    found = find_or_train(preset, data)
    recipe = preset_recipe(found, options)
    task = recipe.task
    chooser = checked_chooser(found, recipe, split) if choose_threshold else None
    if chooser is not None:
        split = DEV[0]
    if plots and not isinstance(task, EvaluationPlots):
        raise ZooError(f"{recipe.name} does not support evaluation plots.")
    check_packages(task.packages, EXTRA)
    if plots:
        check_packages(["matplotlib"], EXTRA)
    drawn: list[Path] = []

    def measure(predictor: Predictor, examples: list[Any]) -> Evaluation:
        evaluation = task.evaluate(predictor, examples)
        if plots and isinstance(task, EvaluationPlots):
            Path(plots).mkdir(parents=True, exist_ok=True)
            drawn.extend(task.plot_evaluation(predictor, evaluation, Path(plots)))
        if chooser is None:
            return evaluation
        line = store_threshold(preset_folder(found), predictor, chooser, evaluation, examples)
        return replace(evaluation, report=[*evaluation.report, line])

    result = measure_preset(
        found,
        recipe,
        measure,
        data=data,
        manifest=manifest,
        split=split,
        runtime=runtime,
        rows=rows,
    )
    return replace(result, preset=preset_name(preset), plots=drawn if plots else None)


def measure_preset(
    preset: PresetLike,
    recipe: Recipe,
    measure: Measure,
    *,
    data: str | Path | None = None,
    manifest: str | Path | None = None,
    split: str | None = None,
    runtime: str | None = None,
    rows: str | Path | None = None,
) -> EvaluateResult:
    """Measure a preset on a split.

    Args:
        preset: a preset by name, the folder of a run or preset, or a loaded preset.
        recipe: its recipe, with options of the decoder set.
        measure: computes the evaluation from the predictor and the examples.
        data: folder of the corpus.
        manifest: a list of examples to use instead of the corpus.
        split: name of the split.
        runtime: the runtime.
        rows: a JSON lines file to write, one line per example.

    Raises:
        ZooError: as `evaluate`.
    """
    folder = preset_folder(preset)
    corpus = registry.entry(recipe.name).corpus
    source = find_source(data, manifest, corpus)
    selection = select_examples(preset_name(preset), folder, recipe, corpus, source, split)
    if selection.message:
        say(selection.message)
    with atomic_file(Path(rows)) if rows else nullcontext() as rows_file:
        predictor = open_predictor(preset, recipe, runtime_of(preset, runtime, KERAS))
        evaluation = measure(predictor, selection.examples)
        if rows_file:
            lines = (json.dumps(row) + "\n" for row in evaluation.rows)
            rows_file.write_text("".join(lines), encoding="utf-8")
    return EvaluateResult(
        preset=preset_name(preset),
        corpus=source_name(source, corpus),
        split=selection.split,
        examples=evaluation.num_examples,
        seconds=round(evaluation.seconds, 3),
        metrics={key: round(value, 6) for key, value in evaluation.metrics.items()},
        from_training=selection.from_training,
        rows=evaluation.rows,
        report=evaluation.report,
    )


def find_or_train(preset: PresetLike, data: str | Path | None) -> PresetLike:
    """Return a preset, or the run of a recipe that is not shipped, which is trained if necessary.

    Args:
        preset: a preset or recipe by name, the folder of a run, or a loaded preset.
        data: folder of the recipe's corpus.
    """
    name = preset if isinstance(preset, str) else ""
    if name not in registry.names() or store.is_available(name):
        return preset
    entry = registry.entry(name)
    if entry.shipped:
        return preset
    folder = default_folder(name)
    if (folder / entry.recipe().model.file).exists():
        say(f"The preset {name} is not shipped. Its run {folder} is evaluated.")
    else:
        say(f"The preset {name} is not shipped. It is trained first, into {folder}.")
        train(name, data=data, out=folder)
    return folder
