"""A preset in Python: what `zoo.load` gives."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.errors import check_choice
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.presets.runs import read_json
from zoo.common.runtime import BACKENDS, KERAS, open_graphs


@dataclass(frozen=True)
class Preset:
    """A trained recipe: the model, what made it, and how well it does.

    name: str. folder: Path. Where it was loaded from.
    recipe: Recipe. metrics: dict. What metrics.json holds; empty for a run.
    runtime: str. What it answers in; one of `zoo.common.runtime.BACKENDS`.
    """

    name: str
    folder: Path
    recipe: Recipe
    metrics: dict[str, Any]
    runtime: str = KERAS

    @functools.cached_property
    def model(self) -> Any:
        """The trained model, whatever the runtime; a `keras.Model` but for models not of Keras."""
        return store.load_model(self.folder, self.recipe)

    @functools.cached_property
    def graphs(self) -> Graphs:
        """The graphs of the model, run by the runtime."""
        if self.runtime == KERAS:
            return Graphs(KERAS, self.recipe.model.functions(self.model))
        return open_graphs(self.runtime, self.folder)

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


def load_preset(preset_or_folder: str | Path, runtime: str = KERAS) -> Preset:
    """Return a preset. See `zoo.load`."""
    check_choice("runtime", runtime, BACKENDS)
    folder = store.find(preset_or_folder)
    metrics = folder / store.METRICS_FILE
    preset = Preset(
        name=str(preset_or_folder),
        folder=folder,
        recipe=store.load_recipe(folder),
        metrics=read_json(metrics) if metrics.exists() else {},
        runtime=runtime,
    )
    # What is missing or corrupt is told now, not at the first answer.
    _ = preset.model if runtime == KERAS else preset.graphs
    return preset
