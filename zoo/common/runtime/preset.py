"""Presets in Python, as `zoo.load` returns them."""

from __future__ import annotations

import functools
import html
from collections.abc import Iterator
from dataclasses import dataclass
from numbers import Real
from pathlib import Path
from typing import Any

from zoo.common.core.capabilities import Streaming
from zoo.common.core.errors import ZooError, check_choice
from zoo.common.core.model import Graphs
from zoo.common.core.predictor import Predictor
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.presets.runs import read_json
from zoo.common.runtime import KERAS, RUNTIMES, open_graphs


@dataclass(frozen=True, repr=False)
class Preset:
    """A trained model with its recipe and metrics.

    Args:
        name: name of the preset, or path of the run folder.
        folder: the folder it was loaded from.
        recipe: the recipe it was trained by.
        metrics: content of metrics.json; empty for a run.
        runtime: runtime of the graphs: one of `zoo.common.runtime.RUNTIMES`.
    """

    name: str
    folder: Path
    recipe: Recipe
    metrics: dict[str, Any]
    runtime: str = KERAS

    @functools.cached_property
    def model(self) -> Any:
        """The trained model: a `keras.Model`, except for models that are not Keras models."""
        return store.load_model(self.folder, self.recipe)

    @functools.cached_property
    def graphs(self) -> Graphs:
        """The graphs of the model in the runtime."""
        if self.runtime == KERAS:
            return Graphs(KERAS, self.recipe.model.functions(self.model))
        return open_graphs(self.runtime, self.folder)

    @property
    def predictor(self) -> Predictor:
        """The parts that a task needs to answer inputs."""
        return self.recipe.predictor(self.graphs)

    def predict(self, inputs: Any) -> Iterator[dict[str, Any]]:
        """Yield one answer per input: `{"input", "output", ...}`, or `{"input", "error"}`.

        Args:
            inputs: one input or a list: a path, a text, or an object that the data kind accepts, such as
                a tuple (waveform, sample rate), a PIL image or a pandas series.
        """
        return self.recipe.task.predict(self.predictor, input_list(inputs))

    def stream(self, source: Any = None, sample_rate: int | None = None, **options: Any) -> Any:
        """Return a stream of events: `for event in preset.stream("-")`.

        Args:
            source: the input: a file, "-" for standard input, or "microphone"; None to pass blocks to
                the stream instead.
            sample_rate: sample rate of the input in Hz; None for that of the model.
            options: further options of the data kind, such as `endpoints`; see docs/streaming.md.

        Raises:
            ZooError: the preset does not support streaming.
        """
        check_stream(self.name, self.recipe)
        data: Any = self.recipe.data
        return data.open_stream(
            self.predictor, self.recipe.task, source=source, sample_rate=sample_rate, **options
        )

    def __repr__(self) -> str:
        kind = type(self.recipe.model).__name__
        return f"Preset {self.name}: {kind}\n{self._figures()}\n{self.runtime}, {self.folder}"

    def _repr_html_(self) -> str:
        return f"<pre>{html.escape(repr(self))}</pre>"

    def _figures(self) -> str:
        """Return the metrics of each split as one line."""
        rows = self.metrics.get("figures", {}).items()
        texts = [
            " ".join(
                [f"{split}:", *(f"{key} {value:.4g}" for key, value in row["metrics"].items())]
            )
            for split, row in rows
        ]
        return "; ".join(texts) or "no metrics: the run is not published"


def check_stream(name: str, recipe: Recipe) -> None:
    """Check that a recipe supports streaming. No model is loaded.

    Args:
        name: name of the preset, for the error message.
        recipe: recipe of the preset.

    Raises:
        ZooError: it does not.
    """
    if not isinstance(recipe.data, Streaming):
        raise ZooError(f"{name} does not support streaming.")
    recipe.data.check_stream(name, recipe.model)


def input_list(inputs: Any) -> list[Any]:
    """Return inputs as a list. Everything but a list is one input; so is a list of numbers, a series."""
    if not isinstance(inputs, list) or (inputs and all(isinstance(one, Real) for one in inputs)):
        return [inputs]
    return inputs


def load_preset(preset_or_folder: str | Path, runtime: str = KERAS) -> Preset:
    """Return a preset. See `zoo.load`."""
    check_choice("runtime", runtime, RUNTIMES)
    folder = store.find(preset_or_folder)
    metrics = folder / store.METRICS_FILE
    preset = Preset(
        name=str(preset_or_folder),
        folder=folder,
        recipe=store.load_recipe(folder),
        metrics=read_json(metrics) if metrics.exists() else {},
        runtime=runtime,
    )
    # Missing and corrupt files are reported now, not at the first answer.
    _ = preset.model if runtime == KERAS else preset.graphs
    return preset
