"""The optimizer part of a recipe."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any


class Optimizer(ABC):
    """Base class of optimizers. Subclasses are frozen dataclasses that build a Keras optimizer."""

    average_from: int

    @abstractmethod
    def build(
        self, epochs: int, steps_per_epoch: int, depths: Mapping[str, int] | None = None
    ) -> Any:
        """Return the Keras optimizer for a run.

        Args:
            epochs: number of epochs.
            steps_per_epoch: number of batches in an epoch.
            depths: number of trained layers between each weight and the output, by the path of the
                weight.
        """
