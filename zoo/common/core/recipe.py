"""Recipes: a registered name that joins data, model, task, decoder, optimizer and training.

Each part is a frozen, typed dataclass. Its fields are the settings of a run, addressed by dotted keys.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from zoo.common.core.data import Data
from zoo.common.core.decoder import Decoder
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs, ModelConfig
from zoo.common.core.optimizer import Optimizer
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import (
    assets,
    fine_tunable_defaults,
    flatten,
    replace_settings,
    to_dict,
)
from zoo.common.core.task import Task
from zoo.common.core.trainer import Trainer


@dataclass(frozen=True)
class Recipe:
    """Join the six parts of a recipe under a registered name.

    Args:
        name: the registered name.
        data: defines an example.
        model: defines how inputs become outputs.
        task: defines what is learned and how it is evaluated.
        training: defines for how long, and by which trainer.
        decoder: defines how an answer is chosen; None for a task without a choice.
        optimizer: defines how the weights are updated; None for a trainer without gradients.
    """

    name: str
    data: Data
    model: ModelConfig
    task: Task
    training: Trainer
    decoder: Decoder | None = None
    optimizer: Optimizer | None = None

    def override(self, overrides: dict[str, Any]) -> Recipe:
        """Return this recipe with dotted keys replaced: `{"optimizer.learning_rate": "3e-4"}`.

        Text is converted to the type of the field. A part is validated after all of its fields are set.

        Args:
            overrides: values by dotted key.

        Raises:
            ZooError: an unknown key (the message lists the nearest valid ones), or a value that does
                not fit its field.
        """
        if "name" in overrides:
            raise ZooError("The name of a recipe cannot be overridden.")
        rows = [(key.split("."), value, key) for key, value in overrides.items()]
        return replace_settings(self, rows)

    def adapt(self, examples: list[Any]) -> Recipe:
        """Return this recipe with what its data and model take from a run's examples, dev included."""
        data, model = self.data.adapt(examples, self.model)
        return dataclasses.replace(self, data=data, model=model)

    def from_scratch(self) -> Recipe:
        """Return this recipe with empty assets, so that `adapt` takes them from other data."""
        empty = {name: asset.kind() for name, asset in assets(self.data).items()}
        return dataclasses.replace(self, data=dataclasses.replace(self.data, **empty))

    def predictor(self, graphs: Graphs) -> Predictor:
        """Return what the task needs to answer inputs with the graphs of a trained model."""
        return Predictor(self.name, self.data, self.model, self.decoder, graphs)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types. Assets and run-time resources are left out."""
        return to_dict(self)

    def merge(self, values: dict[str, Any]) -> Recipe:
        """Return this recipe with every value of a `to_dict` result restored. Raises as `override`."""
        given = {key: value for key, value in flatten(values) if key != "name"}
        return self.override(fine_tunable_defaults(self) | given)


def settings(recipe: Recipe) -> dict[str, Any]:
    """Return every setting of a recipe by its dotted key, as `override` takes it."""
    return {key: value for key, value in flatten(recipe.to_dict()) if key != "name"}
