"""Training in one pass: common code of trainers without gradients."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe
from zoo.common.presets import runs, store, trained_on
from zoo.common.utils.progress import say


def train_in_one_pass(
    fit: Callable[[], tuple[Any, dict[str, float]]],
    recipe: Recipe,
    train_examples: list[Any],
    dev_examples: list[Any],
    folder: Path,
    *,
    resume: bool = False,
    init: Any = None,
    record: dict[str, Any] | None = None,
    log: Callable[[str], None] = say,
    callbacks: Sequence[Any] = (),
    on_epoch: Callable[[dict[str, float]], None] | None = None,
) -> list[dict[str, float]]:
    """Fit a model into a run folder, and evaluate it on dev.

    Args:
        fit: returns the trained model, and metrics of the pass such as its `loss`.
        recipe: as in `zoo.common.training.trainers.train`, and so are the other arguments. A run that
            is complete returns its history when it is resumed.

    Returns:
        The history, one row.

    Raises:
        ZooError: `folder` exists, a resumed run has other settings, or `init` or `callbacks` are given.
    """
    if init is not None:
        raise ZooError(f"{recipe.name} is trained in one pass: --init is not supported.")
    if callbacks:
        raise ZooError(f"{recipe.name} is trained in one pass: callbacks are not supported.")
    record = runs.begin(recipe, train_examples + dev_examples, folder, resume, record)
    if resume and runs.has_epochs(folder):
        return runs.read_history(folder)
    with runs.started(folder, record):
        trained_on.write(folder, recipe.data, train_examples, dev_examples)
        started = time.perf_counter()
        model, figures = fit()
        graphs = Graphs("keras", recipe.model.functions(model))
        metrics = recipe.task.evaluate(recipe.predictor(graphs), dev_examples).metrics
        seconds = time.perf_counter() - started
        row = {"epoch": 1, **figures, **metrics, "seconds": round(seconds, 2)}
        store.save_model(folder, model, recipe)
        runs.write_history(folder, [row])
    words = [f"{name} {value:.4f}" for name, value in figures.items()]
    words += [f"dev {name} {value:.4f}" for name, value in metrics.items()]
    log("  ".join([*words, f"{seconds:.1f} s"]))
    if on_epoch:
        on_epoch(row)
    return [row]
