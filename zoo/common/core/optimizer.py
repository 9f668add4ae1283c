"""The optimizer part of a recipe."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any


class Optimizer(ABC):
    """Base class of optimizers. Subclasses are frozen dataclasses that build a Keras optimizer."""

    average_from: int

    @abstractmethod
    def build(self, epochs: int, steps_per_epoch: int) -> Any:
        """Return the Keras optimizer for a run.

        Args:
            epochs: number of epochs.
            steps_per_epoch: number of batches in an epoch.
        """
