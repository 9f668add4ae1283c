"""Forecasting: the next values of a series from its past values."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.capabilities import Calibration, EvaluationPlots, RowMetrics
from zoo.common.core.data import Item
from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.model import Function
from zoo.common.core.settings import renamed
from zoo.common.core.task import Task
from zoo.common.metrics.intervals import Intervals
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.series_data import Forecaster, ForecastModel, SeriesData, SeriesWindows
from zoo.common.utils.progress import progress

BATCH = 256
# Limit of the subplots of a figure.
MAX_PLOTTED = 6
# Smallest number of steps ahead for which intervals are measured, if dev is long enough.
CALIBRATED_STEPS = 100


@dataclass(frozen=True)
class Forecasting(Task, Calibration, EvaluationPlots, RowMetrics):
    """Answer with the next values of a series.

    A forecast with more steps than the model's is iterated: forecast values replace observed ones.

    Args:
        monitor: "nmse", the squared error divided by the variance of the targets, which is 1 for a
            constant forecast of their mean; or "smape", the absolute error divided by the mean size of
            target and forecast, for series of different sizes. It also determines the loss.
    """

    verb: ClassVar[str] = "forecast"
    monitors: ClassVar[tuple[str, ...]] = ("nmse", "smape")

    monitor: str = renamed("nmse", formerly="steer_by")

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """Return the mean error of `targets` whose `weight` is 1, in units of `scale`.

        The error is squared if `monitor` is "nmse", and absolute if it is "smape".
        """
        from keras import ops

        error = (y["targets"] - ops.cast(outputs["forecast"], "float32")) / y["scale"]
        error = ops.square(error) if self.monitor == "nmse" else ops.abs(error)
        return ops.mean(error * y["weight"], axis=-1)

    def evaluate(self, predictor: Forecaster, examples: list[Any]) -> Evaluation:
        """Return the error of forecasts with the decoder's horizon.

        Each series is divided into stretches of that length; each is forecast from the true values
        before it. With a horizon of 1, every value is forecast from true values. Missing targets are
        left out. The report has the root mean squared error in the units of the data, and the share of
        targets inside the decoder's intervals.
        """
        started = time.perf_counter()
        horizon = predictor.decoder.horizon
        forecasts = _forecast_examples(predictor, examples, horizon, horizon)
        rows = [row for each in forecasts for row in _rows(predictor, *each)]
        targets = np.array([row["reference"] for row in rows])
        outputs = np.array([row["output"] for row in rows])
        if not len(rows) or not targets.var():
            raise ZooError(
                f"The targets must not all be equal. Received: {len(targets)} targets"
                + (f", all {targets[0]}." if len(rows) else ".")
            )
        error = np.sqrt(np.mean((targets - outputs) ** 2))
        report = [f"horizon {horizon}, {len(rows)} forecasts, root mean squared error {error:.6g}"]
        if predictor.decoder.interval:
            low, high = (np.array([row[name] for row in rows]) for name in ("low", "high"))
            coverage = np.mean((low <= targets) & (targets <= high))
            report.append(
                f"intervals of {predictor.decoder.interval}: {coverage:.4f} of the targets inside, "
                f"mean width {np.mean(high - low):.6g}"
            )
        metrics = self.row_metrics(predictor, rows)
        return Evaluation(metrics, len(rows), time.perf_counter() - started, report, rows)

    def row_metrics(self, predictor: Forecaster, rows: list[dict[str, Any]]) -> dict[str, float]:
        """Return `monitor`, unless it is "nmse" and all targets are equal."""
        targets = np.array([row["reference"] for row in rows])
        outputs = np.array([row["output"] for row in rows])
        if self.monitor == "smape":
            return {"smape": _smape(targets, outputs)}
        variance = targets.var()
        error = np.mean((targets - outputs) ** 2)
        return {"nmse": float(error / variance)} if variance else {}

    def calibrate(self, predictor: Forecaster, examples: list[Any]) -> SeriesData:
        """Return the data with the intervals that follow from forecast errors on dev."""
        horizon = max(CALIBRATED_STEPS, predictor.decoder.horizon, predictor.model.steps)
        horizon = min(horizon, max(len(example.values) for example in examples))
        errors = [
            (forecasts - windows.targets) / predictor.model.scale(windows.inputs["series"])
            for _, windows, forecasts in _forecast_examples(predictor, examples, horizon, 1)
        ]
        intervals = Intervals.of(np.concatenate(errors))
        data: Any = predictor.data
        return replace(data, intervals=intervals)

    def answer(self, predictor: Forecaster, item: Item) -> dict[str, Any]:
        """Return `forecast`, the next values; for several series, a dict of such lists by name.

        If the series has times, or there are several series or intervals, `steps` has one row for each
        step of each series.
        """
        horizon = predictor.decoder.horizon
        inputs, times = predictor.data.future_inputs(item, predictor.model, horizon)
        forecasts = _forecast(predictor.graphs[MODEL], predictor.model, inputs, horizon)
        names = item["names"]
        series = inputs["series"]
        offsets = predictor.model.offsets(series)
        columns = {"forecast": forecasts} | _bounds(predictor, series, forecasts)
        texts = [f"{x:.15g}" for x in _rounded(forecasts, offsets, series, 6)[0]]
        rows = {key: _rounded(array, offsets, series, 7) for key, array in columns.items()}
        values = rows["forecast"]
        if len(names) == 1:
            answer: dict[str, Any] = {"output": " ".join(texts), "forecast": values[0]}
            if times is None and len(columns) == 1:
                return answer
            answer["output"] = f"{horizon} steps ahead"
        else:
            answer = {
                "output": f"{len(names)} series, {horizon} steps ahead",
                "forecast": dict(zip(names, values, strict=True)),
            }
        answer["steps"] = [
            ({"series": name} if len(names) > 1 else {})
            | ({"time": times[i][j]} if times else {"step": j + 1})
            | {key: values[i][j] for key, values in rows.items()}
            for i, name in enumerate(names)
            for j in range(horizon)
        ]
        return answer

    def answer_in_graph(self, predictor: Forecaster) -> Any:
        """Return `forecast` float32 [batch, horizon] in the units of the data."""
        import tensorflow as tf
        from keras import ops

        horizon, model = predictor.decoder.horizon, predictor.graphs[MODEL]
        steps, context = predictor.model.steps, predictor.model.context
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

            unit = predictor.model.unit(inputs["series"], ops)
            series = inputs["series"] / unit
            nothing = tf.zeros((tf.shape(series)[0], steps))
            _, blocks = tf.scan(step, tf.range(calls), (series, nothing))
            forecast = tf.reshape(tf.transpose(blocks, (1, 0, 2)), (-1, calls * steps))
            return {"forecast": forecast[:, :horizon] * unit + predictor.model.offset}

        return answer

    def plot_evaluation(
        self, predictor: Forecaster, evaluation: Evaluation, folder: Path
    ) -> list[Path]:
        """Draw the first series with their forecasts."""
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
                words = f"{predictor.decoder.interval} interval"
                axes.fill_between(steps, low, high, color="tab:red", alpha=0.2, label=words)
            axes.set(xlabel="step", ylabel="value")
            axes.set_title(
                f"{id_}: horizon {predictor.decoder.horizon}, "
                f"{self.monitor} {evaluation.metrics[self.monitor]:.4g}"
            )
            axes.legend()
        return [save(picture, folder / "forecasts.png")]


def _rounded(
    values: np.ndarray, offsets: np.ndarray, series: np.ndarray, digits: int
) -> list[list[float]]:
    """Return each value rounded to `digits` digits of its difference from the offset.

    No value is rounded to fewer decimal places than the values before it have.

    Args:
        values: float64 [series, steps].
        offsets: float64 [series, 1].
        series: the values before each row, float64 [series, context].
        digits: number of digits; the graph computes seven.
    """
    rows = []
    for row, offset, past in zip(values, offsets[:, 0], series, strict=True):
        # Inputs with more places than this are results of computations, not of measurements.
        places = next((n for n in range(7) if np.array_equal(past.round(n), past)), None)
        rows.append([_round(float(x), float(offset), digits, places) for x in row])
    return rows


def _round(value: float, offset: float, digits: int, places: int | None) -> float:
    def last_place(size: float, digits: int) -> int:
        return digits - 1 - math.floor(math.log10(size)) if size else digits

    kept = last_place(abs(value - offset) or abs(value), digits)
    if places is not None:
        kept = max(kept, places)
    return round(value, min(kept, last_place(abs(value), 15)))


def _smape(targets: np.ndarray, outputs: np.ndarray) -> float:
    """Return the mean of |target - output| / mean size of the two; 0 where both are 0."""
    size = (np.abs(targets) + np.abs(outputs)) / 2
    return float(np.mean(np.abs(targets - outputs) / np.where(size > 0, size, 1)))


def _rows(
    predictor: Forecaster, example: Any, windows: SeriesWindows, forecasts: np.ndarray
) -> list[dict[str, Any]]:
    """Return a row for each target of an example that is not missing."""
    columns = {"reference": windows.targets, "output": forecasts}
    columns |= _bounds(predictor, windows.inputs["series"], forecasts)
    return [
        {"id": example.id, "step": int(windows.first[i] + j)}
        | {name: float(array[i, j]) for name, array in columns.items()}
        for i, j in np.argwhere(~np.isnan(windows.targets))
    ]


def _bounds(
    predictor: Forecaster, series: np.ndarray, forecasts: np.ndarray
) -> dict[str, np.ndarray]:
    """Return `low` and `high` of the decoder's interval around forecasts [windows, horizon].

    Returns {} if the decoder has no interval.
    """
    level, intervals = predictor.decoder.interval, predictor.data.intervals
    if not level:
        return {}
    if not intervals:
        raise ZooError(
            f"{predictor.name} has no intervals: they are measured at the end of a training. "
            f"Received: --interval {level}."
        )
    half = predictor.model.scale(series) * intervals.half_widths(level, forecasts.shape[1])
    return {"low": forecasts - half, "high": forecasts + half}


def _forecast_examples(
    predictor: Forecaster, examples: list[Any], horizon: int, stride: int
) -> list[tuple[Any, SeriesWindows, np.ndarray]]:
    """Return (example, windows, forecasts float64 [windows, horizon]) of each example.

    A batch may contain windows of several examples.
    """
    data, model = predictor.data, predictor.model
    windows = [data.windows(example, model, horizon, stride) for example in examples]
    inputs = {
        name: np.concatenate([each.inputs[name] for each in windows]) for name in windows[0].inputs
    }
    blocks = range(0, len(inputs["series"]), BATCH)
    graph = predictor.graphs[MODEL]
    forecasts = [
        _forecast(graph, model, {name: x[i : i + BATCH] for name, x in inputs.items()}, horizon)
        for i in progress(blocks, "Evaluating", len(blocks), "batch")
    ]
    ends = np.cumsum([len(each.targets) for each in windows])[:-1]
    parts = np.split(np.concatenate(forecasts), ends)
    return list(zip(examples, windows, parts, strict=True))


def _forecast(
    graph: Function, model: ForecastModel, inputs: dict[str, np.ndarray], horizon: int
) -> np.ndarray:
    """Return the next values after windows, float64 [windows, horizon].

    The offset is subtracted and added in float64, since float32 has too few digits for a small deviation
    from a large mean.
    """
    offsets, unit = model.offsets(inputs["series"]), model.unit(inputs["series"])
    series = ((inputs["series"] - offsets) / unit).astype(np.float32)
    covariates = inputs.get("covariates")
    context, steps = model.context, model.steps
    blocks: list[np.ndarray] = []
    for begin in range(0, horizon, steps):
        future = {}
        if covariates is not None:
            future = {"covariates": covariates[:, begin : begin + context + steps]}
        block = np.asarray(graph(series=series, **future)["forecast"], np.float32)
        finite = np.isfinite(block).all(axis=0)
        if not finite.all():
            step = begin + int(np.argmin(finite)) + 1
            raise ZooError(f"The forecast diverged: step {step} is NaN or infinite.")
        blocks.append(block)
        series = np.concatenate([series, block], axis=1)[:, -context:]
    return np.concatenate(blocks, axis=1)[:, :horizon] * unit + offsets
