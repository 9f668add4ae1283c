"""The trainers a recipe chooses from: by gradients, by counting, by least squares.

Each is a part of a recipe; the work is done by a module that is imported when it begins.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any, ClassVar

from zoo.common.core.errors import check_choice, check_range
from zoo.common.core.trainer import Trainer
from zoo.common.utils.locks import LOCK_FILE, locked

PRECISIONS = ("float32", "mixed_bfloat16", "auto")


@dataclass(frozen=True)
class _ByModule(Trainer):
    """A trainer whose work is the function `train` of a module."""

    module: ClassVar[str]

    def train(self, recipe, train_examples, dev_examples, folder, **arguments: Any):
        """See `Trainer.train`. No other process may train into the folder meanwhile."""
        run = importlib.import_module(self.module).train
        with locked(folder / LOCK_FILE):
            history = run(recipe, train_examples, dev_examples, folder, **arguments)
            recipe.task.calibrate(recipe, dev_examples, folder)
            return history


@dataclass(frozen=True)
class GradientDescent(_ByModule):
    """Keras `fit`, an epoch at a time.

    epochs: int. Passes over the training examples; the learning rate decays over all of them.
    batch_size: int. Examples in a batch.
    patience: int. Epochs without a better dev metric after which the run stops.
    precision: str. A Keras dtype policy: "float32" or "mixed_bfloat16", which needs no loss scaling;
        "auto" for "mixed_bfloat16" where the processor has instructions for it, else "float32". A run
        that is resumed may go on in another one.
    dev_fraction, seed: see `Trainer`.
    """

    module: ClassVar[str] = "zoo.common.training.loop"
    packages: ClassVar[tuple[str, ...]] = ("matplotlib", "tensorboard")

    epochs: int = 50
    batch_size: int = 16
    patience: int = 20
    precision: str = "float32"

    def __post_init__(self):
        super().__post_init__()
        check_choice("training.precision", self.precision, PRECISIONS)
        check_range("training.epochs", self.epochs, at_least=1, at_most=1_000_000)
        check_range("training.patience", self.patience, at_least=1, at_most=1_000_000)
        check_range("training.batch_size", self.batch_size, at_least=1, at_most=2**16)


@dataclass(frozen=True)
class Counting(_ByModule):
    """One pass that counts: for a model with `count(examples, recipe)`. See `Trainer`."""

    module: ClassVar[str] = "zoo.common.training.counting"


@dataclass(frozen=True)
class LeastSquares(_ByModule):
    """The weights of a linear model in closed form, from one pass.

    batch_size: int. Windows read at a time; no effect on the result.
    ridge: float. Added to the diagonal of the normal equations; 0 for plain least squares.
    dev_fraction, seed: see `Trainer`.
    """

    module: ClassVar[str] = "zoo.common.training.least_squares"

    batch_size: int = 256
    ridge: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        check_range("training.batch_size", self.batch_size, at_least=1, at_most=2**16)
        check_range("training.ridge", self.ridge, at_least=0)
