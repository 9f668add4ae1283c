"""Trainers: gradient descent, counting, and least squares.

Each trainer is a part of a recipe. Its module, which does the work, is imported when a training begins.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

from zoo.common.core.capabilities import Calibration
from zoo.common.core.errors import check_choice, check_range
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe
from zoo.common.core.trainer import Trainer
from zoo.common.presets import store
from zoo.common.training.parallel import Parallel
from zoo.common.utils.locks import LOCK_FILE, locked
from zoo.common.utils.progress import say

PRECISIONS = ("float32", "mixed_bfloat16", "auto")


def train(
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
    parallel: Parallel | None = None,
) -> list[dict[str, float]]:
    """Train a recipe into a run folder. The folder is locked during the training.

    Args:
        recipe: the recipe, whose trainer trains it.
        train_examples: usable examples of the train split.
        dev_examples: usable examples of the dev split.
        folder: run folder; it must not exist, or be empty, unless `resume` is set.
        resume: whether to continue after the last complete epoch in `folder`.
        init: a trained model that provides the initial weights, as `ModelConfig.load` returns it.
        record: values that run.json stores in addition to versions, seed and commit.
        log: receives one line of text per epoch.
        callbacks: Keras callbacks, for gradient descent.
        on_epoch: receives the row of each epoch after its files are written. An exception of it ends
            the training, which can be resumed.
        parallel: how devices and processes share the training, for gradient descent. Only the process
            that writes uses `folder`.

    Returns:
        The history, one row per epoch: `epoch`, `loss`, the metrics on dev, `seconds`.

    Raises:
        ZooError: `folder` exists, a resumed run has other settings, or the model cannot be trained.
    """
    run = importlib.import_module(recipe.training.module).train
    shared = {} if parallel is None else {"parallel": parallel}
    writes = parallel is None or parallel.writes
    with locked(folder / LOCK_FILE) if writes else nullcontext():
        history = run(
            recipe,
            train_examples,
            dev_examples,
            folder,
            resume=resume,
            init=init,
            record=record,
            log=log,
            callbacks=callbacks,
            on_epoch=on_epoch,
            **shared,
        )
        if writes and isinstance(recipe.task, Calibration):
            best = store.load_recipe(folder)
            graphs = Graphs("keras", best.model.functions(store.load_model(folder, best)))
            data = recipe.task.calibrate(best.predictor(graphs), dev_examples)
            store.save_recipe(folder, replace(best, data=data))
        return history


@dataclass(frozen=True)
class GradientDescent(Trainer):
    """Train by Keras `fit`, one epoch at a time.

    Args:
        dev_fraction: as in `Trainer`.
        seed: as in `Trainer`.
        epochs: number of epochs. The learning rate decays over all of them.
        batch_size: number of examples in a batch.
        patience: number of epochs without a better dev metric after which the run stops.
        precision: Keras dtype policy "float32" or "mixed_bfloat16", which needs no loss scaling; "auto"
            is "mixed_bfloat16" if the processor has instructions for it, else "float32". A resumed run
            may use another precision.
        frozen_epochs: number of first epochs that train only the output layer, with `--init` or
            `--init-encoder`. The other layers keep their weights, batch normalization its statistics.
        gradual_unfreezing: whether each epoch after these trains one more layer, from the output down,
            instead of all (Howard & Ruder 2018).
    """

    module: ClassVar[str] = "zoo.common.training.loop"
    packages: ClassVar[tuple[str, ...]] = ("matplotlib", "tensorboard")

    epochs: int = 50
    batch_size: int = 16
    patience: int = 20
    precision: str = "float32"
    frozen_epochs: int = 0
    gradual_unfreezing: bool = False

    def __post_init__(self):
        super().__post_init__()
        check_choice("training.precision", self.precision, PRECISIONS)
        check_range("training.epochs", self.epochs, at_least=1, at_most=1_000_000)
        check_range("training.patience", self.patience, at_least=1, at_most=1_000_000)
        check_range("training.batch_size", self.batch_size, at_least=1, at_most=2**16)
        check_range("training.frozen_epochs", self.frozen_epochs, at_least=0, at_most=1_000_000)


@dataclass(frozen=True)
class Counting(Trainer):
    """Train a `zoo.common.core.model.CountedModel` by counting, in one pass. See `Trainer`."""

    module: ClassVar[str] = "zoo.common.training.counting"


@dataclass(frozen=True)
class LeastSquares(Trainer):
    """Compute the weights of a linear model in closed form, in one pass.

    Args:
        dev_fraction: as in `Trainer`.
        seed: as in `Trainer`.
        batch_size: number of windows that are read together. It does not change the result.
        ridge: value added to the diagonal of the normal equations; 0 for plain least squares.
    """

    module: ClassVar[str] = "zoo.common.training.least_squares"

    batch_size: int = 256
    ridge: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        check_range("training.batch_size", self.batch_size, at_least=1, at_most=2**16)
        check_range("training.ridge", self.ridge, at_least=0)
