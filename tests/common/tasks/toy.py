"""Define data with the model's outputs in its examples, and a model that returns its inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe
from zoo.common.data.batching import pad
from zoo.common.data.labels import Labels
from zoo.common.training.trainers import GradientDescent


@dataclass(frozen=True)
class Example:
    """An example with the outputs of the model.

    Args:
        id: id of the example.
        transcript: reference, also of classes.
        logits: float [time, symbols] or [classes]; None for an unreadable file.
    """

    id: str
    transcript: str
    logits: np.ndarray | None

    @property
    def label(self) -> str:
        return self.transcript


@dataclass(frozen=True)
class Model:
    seconds_per_frame: float | None = 0.04


@dataclass(frozen=True)
class ToyData:
    labels: Labels
    in_time: bool = True

    def read_example(self, example: Example, model: Model) -> dict[str, Any]:
        if example.logits is None:
            raise ZooError(f"{example.id} is broken")
        return {"logits": example.logits}

    def read_input(self, source: Any, model: Model) -> dict[str, Any]:
        return self.read_example(source, model)

    def input_metadata(self, item: dict[str, Any]) -> dict[str, Any]:
        return {"frames": len(item["logits"])}

    def sort_key(self, example: Example) -> float:
        return -1 if example.logits is None else len(example.logits)

    def collate(self, items: list[dict[str, Any]]) -> dict[str, np.ndarray]:
        batch, lengths = pad(
            [item["logits"] for item in items], fill=7
        )  # padding must have no effect
        return {"x": batch, "lengths": lengths} if self.in_time else {"x": batch}


def answers(x: np.ndarray, lengths: np.ndarray | None = None) -> dict[str, np.ndarray]:
    return {"logits": x} if lengths is None else {"logits": x, "logit_lengths": lengths}


GRAPHS = Graphs("toy", {"model": answers})


def toy(labels: Labels, task: Any, decoder: Any, in_time: bool = True, **model: Any) -> Recipe:
    data = ToyData(labels, in_time)
    return Recipe("toy/one", data, Model(**model), task, GradientDescent(), decoder)
