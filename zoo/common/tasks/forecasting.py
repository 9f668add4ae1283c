"""Forecasting as a task: the next values of a series from those before them.

Its examples have `id` and `values`. Its data has `windows(example, recipe)`, which gives `series`
float32 [targets, context] and targets float32 [targets, 1], the last values, in order of time. Its model
has the input `series` and the output `forecast` float32 [batch, 1], the next value, both in the data's
own units. A forecast of several steps is iterated: each one is read as if it had been observed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.task import Evaluation, Task
from zoo.common.runtime.keras_model import MODEL
from zoo.common.utils.progress import progress

if TYPE_CHECKING:
    from pathlib import Path

    from zoo.common.core.data import Item
    from zoo.common.core.model import Function, Graphs
    from zoo.common.core.recipe import Recipe

BATCH = 256
# Of a plot, one above the other.
MAX_PLOTTED = 6


@dataclass(frozen=True)
class Forecasting(Task):
    """Forecasts of a series. The decoder is a `Forecast`."""

    verb: ClassVar[str] = "forecast"

    @property
    def metric(self) -> str:
        """Mean squared error over the variance of the targets: 1 for always forecasting their mean."""
        return "nmse"

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """See `Task.loss`: the mean squared error of `targets`, in units of `scale`."""
        from keras import ops

        forecast = ops.cast(outputs["forecast"], "float32")
        return ops.mean(ops.square((y["targets"] - forecast) / y["scale"]), axis=-1)

    def evaluate(self, graphs: Graphs, recipe: Recipe, examples: list[Any]) -> Evaluation:
        """See `Task.evaluate`: of each series, in stretches as long as the decoder's horizon.

        Each stretch is forecast from the true values before it: with a horizon of 1, each value is. The
        report has the root of the mean squared error, in the data's own units.
        """
        started = time.perf_counter()
        rows = [row for example in examples for row in _evaluate(graphs[MODEL], recipe, example)]
        targets = np.array([row["reference"] for row in rows])
        if not targets.var():
            raise ZooError(
                f"Targets must differ from each other. Received: {len(targets)}, all {targets[0]}."
            )
        squared_error = np.mean((targets - [row["output"] for row in rows]) ** 2)
        metrics = {self.metric: float(squared_error / targets.var())}
        horizon = recipe.decoder.horizon
        report = [
            f"horizon {horizon}, {len(rows)} forecasts, root mean squared error "
            f"{np.sqrt(squared_error):.6g}"
        ]
        return Evaluation(metrics, len(rows), time.perf_counter() - started, report, rows)

    def answer(self, graphs: Graphs, recipe: Recipe, item: Item) -> dict[str, Any]:
        """See `Task.answer`: `forecast` lists as many values as the decoder's horizon."""
        series = recipe.data.collate([item])["series"]
        (steps,) = _forecast(graphs[MODEL], series, recipe.decoder.horizon)
        return {"output": " ".join(f"{x:.6g}" for x in steps), "forecast": steps.tolist()}

    def answer_in_graph(self, model: Any, recipe: Recipe) -> Any:
        """See `Task.answer_in_graph`: `forecast` float32 [batch, horizon]."""
        import tensorflow as tf

        horizon = recipe.decoder.horizon

        def answer(inputs):
            def step(carried, _):
                series, _ = carried
                forecast = model({"series": series}, training=False)["forecast"]
                return tf.concat([series[:, 1:], forecast], axis=1), forecast

            series = inputs["series"]
            _, steps = tf.scan(step, tf.range(horizon), (series, series[:, :1]))
            return {"forecast": tf.transpose(steps[:, :, 0])}

        return answer

    def plot(self, recipe: Recipe, evaluation: Evaluation, folder: Path) -> list[Path]:
        """See `Task.plot`: the first few series with their forecasts."""
        from zoo.common.utils.plots import figure, save

        series: dict[str, list[dict[str, Any]]] = {}
        for row in evaluation.rows:
            series.setdefault(row["id"], []).append(row)
        plotted = list(series.items())[:MAX_PLOTTED]
        picture = figure(figsize=(10, 3.5 * len(plotted)))
        for axes, (id_, rows) in zip(
            picture.subplots(len(plotted), squeeze=False)[:, 0], plotted, strict=True
        ):
            steps = [row["step"] for row in rows]
            axes.plot(steps, [row["reference"] for row in rows], color="tab:gray", label="series")
            axes.plot(
                steps, [row["output"] for row in rows], ".", color="tab:red", label="forecast"
            )
            axes.set(xlabel="step", ylabel="value")
            axes.set_title(
                f"{id_}: horizon {recipe.decoder.horizon}, nmse {evaluation.metrics['nmse']:.4g}"
            )
            axes.legend()
        return [save(picture, folder / "forecasts.png")]


def _evaluate(graph: Function, recipe: Recipe, example: Any) -> list[dict[str, Any]]:
    """A row for each target of an example."""
    series, targets = recipe.data.windows(example, recipe)
    horizon = recipe.decoder.horizon
    starts = series[::horizon]
    blocks = range(0, len(starts), BATCH)
    steps = [
        _forecast(graph, starts[i : i + BATCH], horizon)
        for i in progress(blocks, "Evaluating", len(blocks), "batch")
    ]
    forecasts = np.concatenate(steps).reshape(-1)[: len(targets)]
    first = len(example.values) - len(targets) + 1
    return [
        {"id": example.id, "step": first + i, "reference": float(target), "output": float(forecast)}
        for i, (target, forecast) in enumerate(zip(targets[:, 0], forecasts, strict=True))
    ]


def _forecast(graph: Function, series: np.ndarray, horizon: int) -> np.ndarray:
    """The next values of windows [batch, context], float32 [batch, horizon]."""
    steps = []
    for i in range(horizon):
        step = np.asarray(graph(series=series)["forecast"], np.float32)
        if not np.isfinite(step).all():
            raise ZooError(f"Step {i + 1} of the forecast is no finite number: it has diverged.")
        steps.append(step)
        series = np.concatenate([series[:, 1:], step], axis=1)
    return np.concatenate(steps, axis=1)
