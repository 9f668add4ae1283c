"""Forecasting as a task: the next values of a series from those before them.

Its examples have `id`. Its data has
    windows(example, recipe, horizon, stride)   `inputs`, a dict of arrays [windows, ...], `targets`
        float32 [windows, horizon], NaN where there is none, and `first`, the number of the first target;
    intervals   an `Intervals` or None, which `calibrate` sets.
Its model has the input `series` float32 [batch, context], perhaps `covariates` float32 [batch, context +
steps, covariates], and the output `forecast` float32 [batch, steps], the next values, in the data's own
units; its config has `steps`, and `scale(series)`, the unit of errors. A forecast of more steps than the
model gives at once is iterated: what was forecast is read as if it had been observed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.task import Evaluation
from zoo.common.metrics.intervals import Intervals
from zoo.common.presets import store
from zoo.common.runtime.keras_model import MODEL
from zoo.common.runtime.preset import load_preset
from zoo.common.tasks.steered import SteeredTask
from zoo.common.utils.progress import progress

if TYPE_CHECKING:
    from pathlib import Path

    from zoo.common.core.data import Item
    from zoo.common.core.model import Function, Graphs
    from zoo.common.core.recipe import Recipe

BATCH = 256
# Of a plot, one above the other.
MAX_PLOTTED = 6
METRICS = ("nmse", "smape")
# Steps ahead that intervals are measured for, where neither model nor decoder gives more.
CALIBRATED_STEPS = 100


@dataclass(frozen=True)
class Forecasting(SteeredTask):
    """Forecasts of a series. The decoder is a `Forecast`.

    steer_by: str. The metric that steers a run, and what is learnt with it: "nmse", the squared error
        over the variance of the targets, 1 for always forecasting their mean; or "smape", the absolute
        error over the mean size of target and forecast, for many series of different sizes.
    """

    verb: ClassVar[str] = "forecast"

    steering_metrics: ClassVar[tuple[str, ...]] = METRICS

    steer_by: str = "nmse"

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """See `Task.loss`: the mean error of `targets` whose `weight` is 1, in units of `scale`: squared
        where `nmse` steers, absolute where `smape` does."""
        from keras import ops

        error = (y["targets"] - ops.cast(outputs["forecast"], "float32")) / y["scale"]
        error = ops.square(error) if self.steer_by == "nmse" else ops.abs(error)
        return ops.mean(error * y["weight"], axis=-1)

    def evaluate(self, graphs: Graphs, recipe: Recipe, examples: list[Any]) -> Evaluation:
        """See `Task.evaluate`: of each series, in stretches as long as the decoder's horizon.

        Each stretch is forecast from the true values before it: with a horizon of 1, each value is.
        Missing targets are left out. The report has the root of the mean squared error, in the data's
        own units, and how many targets the decoder's intervals cover.
        """
        started = time.perf_counter()
        horizon = recipe.decoder.horizon
        forecasts = _forecast_examples(graphs[MODEL], recipe, examples, horizon, horizon)
        rows = [row for each in forecasts for row in _rows(recipe, *each)]
        targets = np.array([row["reference"] for row in rows])
        outputs = np.array([row["output"] for row in rows])
        if not len(rows) or not targets.var():
            raise ZooError(
                f"Targets must differ from each other. Received: {len(targets)}"
                + (f", all {targets[0]}." if len(rows) else ".")
            )
        squared_error = np.mean((targets - outputs) ** 2)
        values = {
            "nmse": float(squared_error / targets.var()),
            "smape": _smape(targets, outputs),
        }
        report = [
            f"horizon {horizon}, {len(rows)} forecasts, root mean squared error "
            f"{np.sqrt(squared_error):.6g}"
        ]
        if recipe.decoder.interval:
            low, high = (np.array([row[name] for row in rows]) for name in ("low", "high"))
            coverage = np.mean((low <= targets) & (targets <= high))
            report.append(
                f"intervals of {recipe.decoder.interval}: {coverage:.4f} of the targets are inside, "
                f"mean width {np.mean(high - low):.6g}"
            )
        metrics = {self.metric: values[self.metric]}
        return Evaluation(metrics, len(rows), time.perf_counter() - started, report, rows)

    def calibrate(self, recipe: Recipe, examples: list[Any], folder: Path) -> None:
        """See `Task.calibrate`: the intervals, out of the errors of forecasts from every value on."""
        preset = load_preset(folder)
        horizon = max(CALIBRATED_STEPS, recipe.decoder.horizon, recipe.model.steps)
        horizon = min(horizon, max(len(example.values) for example in examples))
        errors = [
            (forecasts - windows.targets) / recipe.model.scale(windows.inputs["series"])
            for _, windows, forecasts in _forecast_examples(
                preset.graphs[MODEL], recipe, examples, horizon, 1
            )
        ]
        data = replace(preset.recipe.data, intervals=Intervals.of(np.concatenate(errors)))
        store.save_recipe(folder, replace(preset.recipe, data=data))

    def answer(self, graphs: Graphs, recipe: Recipe, item: Item) -> dict[str, Any]:
        """See `Task.answer`: `forecast` lists as many values as the decoder's horizon; of several series
        it is a dict of such lists by name.

        Where the item has `times`, several `names`, or there are intervals, `steps` has a row for each
        step of each series.
        """
        horizon = recipe.decoder.horizon
        inputs = recipe.data.collate([item])
        forecasts = _forecast(graphs[MODEL], recipe, inputs, horizon)
        names, times = item.get("names", [""]), item.get("times")
        columns = {"forecast": forecasts} | _bounds(recipe, inputs["series"], forecasts)
        if len(names) == 1:
            values = [_plain(x) for x in forecasts[0]]
            answer = {"output": " ".join(f"{x:.6g}" for x in values), "forecast": values}
            if times is None and len(columns) == 1:
                return answer
            answer["output"] = f"{horizon} steps ahead"
        else:
            values = {n: [_plain(x) for x in row] for n, row in zip(names, forecasts, strict=True)}
            answer = {"output": f"{len(names)} series, {horizon} steps ahead", "forecast": values}
        answer["steps"] = [
            ({"series": name} if len(names) > 1 else {})
            | ({"time": times[i][j]} if times else {"step": j + 1})
            | {key: _plain(array[i, j]) for key, array in columns.items()}
            for i, name in enumerate(names)
            for j in range(horizon)
        ]
        return answer

    def answer_in_graph(self, model: Any, recipe: Recipe) -> Any:
        """See `Task.answer_in_graph`: `forecast` float32 [batch, horizon]."""
        import tensorflow as tf

        horizon, steps, context = recipe.decoder.horizon, recipe.model.steps, recipe.model.context
        calls = -(-horizon // steps)

        def answer(inputs):
            def step(carried, call):
                series, _ = carried
                known = {
                    name: tf.slice(x, (0, call * steps, 0), (-1, context + steps, x.shape[2]))
                    for name, x in inputs.items()
                    if name != "series"
                }
                forecast = model({"series": series, **known}, training=False)["forecast"]
                return tf.concat([series, forecast], axis=1)[:, -context:], forecast

            series = inputs["series"]
            nothing = tf.zeros((tf.shape(series)[0], steps))
            _, blocks = tf.scan(step, tf.range(calls), (series, nothing))
            forecast = tf.reshape(tf.transpose(blocks, (1, 0, 2)), (-1, calls * steps))
            return {"forecast": forecast[:, :horizon]}

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
            if "low" in rows[0]:
                low, high = ([row[name] for row in rows] for name in ("low", "high"))
                words = f"interval of {recipe.decoder.interval}"
                axes.fill_between(steps, low, high, color="tab:red", alpha=0.2, label=words)
            axes.set(xlabel="step", ylabel="value")
            axes.set_title(
                f"{id_}: horizon {recipe.decoder.horizon}, "
                f"{self.metric} {evaluation.metrics[self.metric]:.4g}"
            )
            axes.legend()
        return [save(picture, folder / "forecasts.png")]


def _plain(value: np.floating) -> float:
    """A number with the digits that float32 has."""
    return float(f"{value:.7g}")


def _smape(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Mean of |target - output| over the mean size of the two; 0 where both are 0."""
    size = (np.abs(targets) + np.abs(outputs)) / 2
    return float(np.mean(np.abs(targets - outputs) / np.where(size > 0, size, 1)))


def _rows(
    recipe: Recipe, example: Any, windows: Any, forecasts: np.ndarray
) -> list[dict[str, Any]]:
    """A row for each target of an example that is there."""
    columns = {"reference": windows.targets, "output": forecasts}
    columns |= _bounds(recipe, windows.inputs["series"], forecasts)
    return [
        {"id": example.id, "step": int(windows.first[i] + j)}
        | {name: float(array[i, j]) for name, array in columns.items()}
        for i, j in np.argwhere(~np.isnan(windows.targets))
    ]


def _bounds(recipe: Recipe, series: np.ndarray, forecasts: np.ndarray) -> dict[str, np.ndarray]:
    """`low` and `high` of the decoder's interval around forecasts [windows, horizon]; {} without one."""
    level = recipe.decoder.interval
    if not level:
        return {}
    if recipe.data.intervals is None:
        raise ZooError(
            f"{recipe.name} has no intervals here: they are measured when a training ends. "
            f"Received: --interval {level}."
        )
    half = recipe.model.scale(series) * recipe.data.intervals.half_widths(level, forecasts.shape[1])
    return {"low": forecasts - half, "high": forecasts + half}


def _forecast_examples(
    graph: Function, recipe: Recipe, examples: list[Any], horizon: int, stride: int
) -> list[tuple[Any, Any, np.ndarray]]:
    """(example, windows, forecasts float32 [windows, horizon]) of each example; batches span several."""
    windows = [recipe.data.windows(example, recipe, horizon, stride) for example in examples]
    inputs = {
        name: np.concatenate([each.inputs[name] for each in windows]) for name in windows[0].inputs
    }
    blocks = range(0, len(inputs["series"]), BATCH)
    forecasts = [
        _forecast(graph, recipe, {name: x[i : i + BATCH] for name, x in inputs.items()}, horizon)
        for i in progress(blocks, "Evaluating", len(blocks), "batch")
    ]
    ends = np.cumsum([len(each.targets) for each in windows])[:-1]
    parts = np.split(np.concatenate(forecasts), ends)
    return list(zip(examples, windows, parts, strict=True))


def _forecast(
    graph: Function, recipe: Recipe, inputs: dict[str, np.ndarray], horizon: int
) -> np.ndarray:
    """The next values after windows, float32 [windows, horizon]."""
    series, covariates = inputs["series"], inputs.get("covariates")
    context, steps = recipe.model.context, recipe.model.steps
    blocks: list[np.ndarray] = []
    for begin in range(0, horizon, steps):
        known = {}
        if covariates is not None:
            known = {"covariates": covariates[:, begin : begin + context + steps]}
        block = np.asarray(graph(series=series, **known)["forecast"], np.float32)
        finite = np.isfinite(block).all(axis=0)
        if not finite.all():
            step = begin + int(np.argmin(finite)) + 1
            raise ZooError(f"Step {step} of the forecast is no finite number: it has diverged.")
        blocks.append(block)
        series = np.concatenate([series, block], axis=1)[:, -context:]
    return np.concatenate(blocks, axis=1)[:, :horizon]
