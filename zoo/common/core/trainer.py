"""The training part of a recipe: its settings, and the module that runs it."""

from __future__ import annotations

from abc import ABC
from dataclasses import dataclass
from typing import ClassVar

from zoo.common.core.errors import ZooError, check_range


@dataclass(frozen=True)
class Trainer(ABC):
    """Base class of trainers. `zoo.common.training.trainers.train` runs one.

    Args:
        dev_fraction: share of the train split that is split off for the dev metric.
        seed: seed of initial weights, dev split, batch order, augmentation and dropout.
    """

    # Packages of the extra `train`, by their import names.
    packages: ClassVar[tuple[str, ...]] = ()
    # Its function `train(recipe, train_examples, dev_examples, folder, ...)` does the work. The module
    # is imported when a training begins, since it may import TensorFlow.
    module: ClassVar[str]

    dev_fraction: float = 0.1
    seed: int = 0

    def __post_init__(self):
        if not 0 < self.dev_fraction < 1:
            raise ZooError(
                f"training.dev_fraction must be between 0 and 1. Received: {self.dev_fraction}."
            )
        check_range("training.seed", self.seed, at_least=0, at_most=2**32 - 1)
