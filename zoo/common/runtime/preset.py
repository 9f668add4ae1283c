"""A preset in Python: what `zoo.load` gives."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.presets.runs import read_json
from zoo.common.runtime import KERAS


@dataclass(frozen=True)
class Preset:
    """A trained recipe: the model, what made it, and how well it does.

    name: str. folder: Path. Where it was loaded from.
    model: the trained model; a `keras.Model` but for models that are not of Keras.
    recipe: Recipe. metrics: dict. What metrics.json holds; empty for a run.
    """

    name: str
    folder: Path
    model: Any
    recipe: Recipe
    metrics: dict[str, Any]

    @functools.cached_property
    def graphs(self) -> Graphs:
        """The graphs of the model, run by the library it is made of."""
        return Graphs(KERAS, self.recipe.model.functions(self.model))

    def predict(self, inputs: Sequence[str]) -> Iterator[dict[str, Any]]:
        """Return one answer an input, `{"input", "output", ...}`; `{"input", "error"}` for a bad one."""
        return self.recipe.task.predict(self.graphs, self.recipe, inputs)

    def stream(self, **how: Any) -> Any:
        """Return what takes an input part by part while it is made; see `Data.stream`.

        Args:
            how: about the input, such as the `sample_rate` of a recording, in Hz.

        Raises:
            ZooError: the preset answers whole inputs only; one that can stream is named.
        """
        return self.recipe.data.stream(self.graphs, self.recipe, **how)


def load_preset(preset_or_folder: str | Path) -> Preset:
    """Return a preset. See `zoo.load`."""
    folder = store.find(preset_or_folder)
    recipe = store.load_recipe(folder)
    metrics = folder / store.METRICS_FILE
    return Preset(
        name=str(preset_or_folder),
        folder=folder,
        model=store.load_model(folder, recipe),
        recipe=recipe,
        metrics=read_json(metrics) if metrics.exists() else {},
    )
