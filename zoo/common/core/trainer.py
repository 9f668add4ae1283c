"""How a model is trained: the part of a recipe that says how long, on what, and by which trainer."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.recipe import Recipe


@dataclass(frozen=True)
class Trainer(ABC):
    """What every trainer takes.

    dev_fraction: float. Share of the train split that is split off for the dev metric.
    seed: int. Fixes initial weights, the dev split, batch order, augmentation and dropout.
    """

    # Of the extra `train`, as they are imported.
    packages: ClassVar[tuple[str, ...]] = ()

    dev_fraction: float = 0.1
    seed: int = 0

    def __post_init__(self):
        if not 0 < self.dev_fraction < 1:
            raise ZooError(
                f"training.dev_fraction must be between 0 and 1. Received: {self.dev_fraction}."
            )
        check_range("training.seed", self.seed, at_least=0, at_most=2**32 - 1)

    @abstractmethod
    def train(
        self,
        recipe: Recipe,
        train_examples: list[Any],
        dev_examples: list[Any],
        folder: Path,
        *,
        resume: bool = False,
        init: Any = None,
        record: dict[str, Any] | None = None,
        log: Callable[[str], None] | None = None,
    ) -> list[dict[str, float]]:
        """Train a recipe into a run folder.

        Args:
            train_examples, dev_examples: what the recipe's data has found usable.
            folder: the run folder; it must not exist, or be empty, unless a run is resumed.
            resume: whether to go on from the last finished epoch in `folder`.
            init: a trained model whose weights to start from, as `ModelConfig.load` gives it.
            record: what run.json holds beside versions, seed and commit.
            log: takes a line for a person after each epoch.

        Returns:
            The history, one row an epoch: `epoch`, `loss`, the metrics on dev, `seconds`.

        Raises:
            ZooError: `folder` exists, what is resumed does not fit, or the model cannot be trained.
        """
