"""Baselines: simple models of a library that are fitted on the examples of a recipe, for comparison."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from zoo.common.core.predictor import Predictor


@dataclass(frozen=True)
class Baseline:
    """A simple model that is not fitted yet.

    Args:
        name: name of the model, with its settings.
        fit: fits the model and returns a predictor. Its graphs have the names, inputs and outputs of the
            recipe's, so that the task evaluates it as it evaluates the recipe's model.
        seconds: time in which its features were computed, before `fit`.
    """

    name: str
    fit: Callable[[], Predictor[Any, Any, Any]]
    seconds: float = 0.0


class Baselines(ABC):
    """Data with simple models, of which `zoo baseline` evaluates the best one on dev."""

    # Import names of the packages that fit the models.
    baseline_packages: ClassVar[tuple[str, ...]] = ("sklearn",)
    # A training fits them first if it has at most this number of examples, as records count them: the
    # fit takes less than a minute.
    baseline_limit: ClassVar[int] = 10_000

    @abstractmethod
    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        """Return the simple models for these examples, with one entry per choice of settings.

        Args:
            predictor: the parts of the recipe; it has no graphs.
            examples: usable examples of the train split, not empty.
            seed: seed of the models.

        Raises:
            ZooError: no model can be fitted on the examples.
        """
