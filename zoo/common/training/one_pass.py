"""Training that is over after one pass: what trainers without gradients share."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe
from zoo.common.presets import runs, store
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
) -> list[dict[str, float]]:
    """Fit a model into a run folder, and measure it on dev.

    Args:
        fit: gives the trained model, and the figures of the pass such as its `loss`.
        recipe and the others: see `zoo.common.core.trainer.Trainer.train`. Of a run that is over, a
            resumed one gives the history.

    Returns:
        The history, one row.

    Raises:
        ZooError: `folder` exists, what is resumed does not fit, or `init` is given.
    """
    if init is not None:
        raise ZooError(f"{recipe.name} is trained in one pass: it starts from no other weights.")
    record = runs.begin(recipe, train_examples + dev_examples, folder, resume, record)
    if resume and runs.has_epochs(folder):
        return runs.read_history(folder)
    with runs.started(folder, record):
        started = time.perf_counter()
        model, figures = fit()
        graphs = Graphs("keras", recipe.model.functions(model))
        metrics = recipe.task.evaluate(graphs, recipe, dev_examples).metrics
        seconds = time.perf_counter() - started
        row = {"epoch": 1, **figures, **metrics, "seconds": round(seconds, 2)}
        store.save_model(folder, model, recipe)
        runs.write_history(folder, [row])
    words = [f"{name} {value:.4f}" for name, value in figures.items()]
    words += [f"dev {name} {value:.4f}" for name, value in metrics.items()]
    log("  ".join([*words, f"{seconds:.1f} s"]))
    return [row]
