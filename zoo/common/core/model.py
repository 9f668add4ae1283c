"""The model part of a recipe: a config that builds a model, saves, loads and runs it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import numpy as np

from zoo.common.core.states import StateSpec

# A graph of a model in a runtime: maps named arrays to named arrays.
Function = Callable[..., dict[str, np.ndarray]]


class Graphs(dict[str, Function]):
    """The graphs of a model in a runtime, by name.

    Args:
        backend: name of the runtime.
        functions: the graphs.
    """

    def __init__(self, backend: str, functions: Mapping[str, Any]):
        super().__init__(functions)
        self.backend = backend


class Contents(NamedTuple):
    """The contents of a model file.

    Args:
        inputs: inputs by name, each with `shape` and `dtype`.
        outputs: outputs by name, each with `shape` and `dtype`.
        parameters: number of weights.
        needs_zoo: whether the file has layers of the zoo, so that its own library cannot open it alone.
    """

    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any]
    parameters: int
    needs_zoo: bool = False


@dataclass(frozen=True)
class ModelConfig(ABC):
    """Base class of model configs. Subclasses are frozen dataclasses, one per model file.

    Their fields are all arguments of the model. Configs of Keras models derive from
    `zoo.common.runtime.keras_model.KerasModel`, which implements all methods except `build`.
    """

    # Name of the file of a preset with the trained model.
    file: ClassVar[str]

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The states of the graph `step`; empty for a model without this graph."""
        return ()

    @property
    def step_outputs(self) -> tuple[StateSpec, ...]:
        """The outputs of the graph `step` besides logits and states, such as attention weights.

        Each has its shape after [batch, time].
        """
        return ()

    @abstractmethod
    def build(self) -> Any:
        """Return the untrained model of this config."""

    @abstractmethod
    def save(self, model: Any, path: Path) -> None:
        """Write a trained model to a file that `load` reads."""

    @abstractmethod
    def load(self, path: Path) -> Any:
        """Return the trained model in a file.

        Raises:
            ZooError: the file is damaged or belongs to another model.
        """

    @abstractmethod
    def functions(self, model: Any) -> dict[str, Function]:
        """Return the graphs of a model as functions of named arrays, run by the model's own library."""

    def contents(self, path: Path) -> Contents | None:
        """Return the contents of a model file; None if its format describes itself."""
        return None

    def shrink(self, path: Path) -> None:  # noqa: B027 (not every file can be made smaller)
        """Make the file of a trained model smaller, for a preset."""


@dataclass(frozen=True)
class CountedModel(ModelConfig):
    """Config of a model that is trained by counting, in one pass."""

    @abstractmethod
    def count(self, examples: list[Any], data: Any) -> Any:
        """Return the model counted on examples of a data kind."""
