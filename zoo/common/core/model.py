"""What any model is to the zoo: a config that builds it, saves it, loads it and runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from zoo.common.core.states import StateSpec

# A graph of a model in some runtime: named arrays to named arrays.
Function = Callable[..., dict[str, np.ndarray]]


class Graphs(dict[str, Function]):
    """The graphs of a model in a runtime, by name.

    backend: str. The runtime they run in.
    """

    def __init__(self, backend: str, functions: dict[str, Function]):
        super().__init__(functions)
        self.backend = backend


class Contents(NamedTuple):
    """What a file holds: `inputs` and `outputs` by name, each with `shape` and `dtype`; how many
    numbers its weights are."""

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    parameters: int


@dataclass(frozen=True)
class ModelConfig(ABC):
    """Every argument of a model. Subclasses are frozen dataclasses, one for each model file.

    A model of Keras derives from `zoo.common.runtime.keras_model.KerasModel`, which has all of this
    but `build`.
    """

    # The file of a preset that holds the trained model.
    file: ClassVar[str]

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """What the graph `step` hands from one call to the next; empty without such a graph."""
        return ()

    @property
    def step_outputs(self) -> tuple[StateSpec, ...]:
        """What the graph `step` gives beside logits and states, such as attention weights, each with
        its shape after [batch, time]."""
        return ()

    @abstractmethod
    def build(self) -> Any:
        """The model of this config, untrained."""

    @abstractmethod
    def save(self, model: Any, path: Path) -> None:
        """Write a trained model to a file, which `load` reads."""

    @abstractmethod
    def load(self, path: Path) -> Any:
        """Read a trained model. Raises `ZooError` for a file that is damaged or of another model."""

    @abstractmethod
    def functions(self, model: Any) -> dict[str, Function]:
        """The graphs of a model as functions of named arrays, run by the library it is made of."""

    def contents(self, path: Path) -> Contents | None:
        """What a file of the model holds; None where that is told by a format of its own."""
        return None

    def shrink(self, path: Path) -> None:  # noqa: B027 (not every file can be made smaller)
        """Make the file of a trained model smaller, for a preset."""


@dataclass(frozen=True)
class CountedModel(ModelConfig):
    """A model that is trained by counting, in one pass."""

    @abstractmethod
    def count(self, examples: list[Any], data: Any) -> Any:
        """Return the model counted on examples of a data kind."""
