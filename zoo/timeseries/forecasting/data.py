"""Series as data: windows of past values as inputs, and the values after each window as targets."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import (
    CustomSplit,
    InputPlots,
    OutputFormats,
    RawInput,
    RawInputs,
    WindowedExamples,
)
from zoo.common.core.data import Batches, Epoch, Item
from zoo.common.core.decoder import option
from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.core.formats import Format
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import asset
from zoo.common.data.manifests import digest
from zoo.common.metrics.intervals import INTERVALS_FILE, Intervals
from zoo.common.tasks.series_data import SeriesData
from zoo.timeseries.forecasting.columns import Columns
from zoo.timeseries.forecasting.corpora.segment import (
    Segment,
    read_segments,
    read_values,
    table_segments,
)
from zoo.timeseries.forecasting.covariates import covariate_rows, covariate_scales
from zoo.timeseries.forecasting.dates import check_format
from zoo.timeseries.forecasting.forecaster import Forecaster, offset
from zoo.timeseries.forecasting.inputs import read_input_tables, table_name
from zoo.timeseries.forecasting.time_index import CALENDAR, TimeIndex
from zoo.timeseries.forecasting.windows import Windows, cut_windows, fill_missing

SAMPLE = Path(__file__).parents[1] / "samples" / "laser.txt"
# Times of the example inputs of exports.
SAMPLE_TIMES = TimeIndex("1996-03-18", 1)


@dataclass(frozen=True)
class Series(
    SeriesData,
    CustomSplit,
    WindowedExamples,
    OutputFormats,
    InputPlots,
    RawInputs,
    Baselines,
):
    """One series of numbers, or several series for one model.

    An example is a `Segment`. Each value with at least `context` values before it, an argument of the
    model, is a target. Models read and return values in the units of the data.

    Args:
        target: column of a table that is forecast; None for the default of
            `zoo.timeseries.forecasting.columns.Columns`.
        covariates: columns that are known for all times, including the forecast ones.
        calendar: further covariates from the times: "hour", "weekday" or "month".
        season: number of steps before a missing value whose value replaces it.
        intervals: intervals around forecasts; empty before the end of a training.
        time_column: column of the times; None for the default of `Columns`.
        date_format: format of the times; None for ISO 8601 or another one without doubt.
        fill: whether times that are missing between others are rows without values.
    """

    input_example: ClassVar[str] = "series.csv"
    accepts_arrays: ClassVar[bool] = True
    counted: ClassVar[tuple[str, str]] = ("values", "values")

    target: str | None = option(None, "column of the table that is forecast")
    covariates: tuple[str, ...] = ()
    calendar: tuple[str, ...] = ()
    season: int = 1
    intervals: Intervals = asset(Intervals, file=INTERVALS_FILE, optional=True)
    time_column: str | None = option(
        None, "column of the times; default: a known name, such as date"
    )
    date_format: str | None = option(None, "format of the times, such as %d.%m.%Y")
    fill: bool = option(False, "whether missing times are read as rows without values")

    def __post_init__(self):
        for name in self.calendar:
            check_choice("data.calendar", name, CALENDAR)
        check_range("data.season", self.season, at_least=1)
        if self.date_format:
            check_format(self.date_format)

    # Reading

    def read_manifest(self, path: Path) -> list[Segment]:
        """Return the segments of a file that `tables.read_tables` reads, such as a CSV table.

        A column `split` divides each series into segments.
        """
        return read_segments(path, self._columns)

    def split_dev(
        self, examples: list[Segment], fraction: float, seed: int
    ) -> tuple[list[Segment], list[Segment]]:
        """Return (train, dev), where dev is the end of each series for any seed."""
        train, dev = [], []
        for example in examples:
            begin = len(example.values) - round(len(example.values) * fraction)
            head, tail = example.values[:begin], example.values[begin:]
            if not head or not tail:
                raise ZooError(
                    f"{example.id}: a series must have more values for a dev split of {fraction}. "
                    f"Received: {len(example.values)}."
                )
            train.append(replace(example, values=head))
            history = (*example.history, *head)
            id_ = f"{example.id}, last part"
            dev.append(replace(example, id=id_, values=tail, history=history, split="dev"))
        return train, dev

    def num_examples(self, examples: list[Segment]) -> int:
        """Return the number of values."""
        return sum(len(example.values) for example in examples)

    def num_windows(self, examples: list[Segment], model: Forecaster) -> int:
        """Return the number of values with at least `context` values before them."""
        return sum(len(e.values) - max(0, model.context - len(e.history)) for e in examples)

    def take_windows(self, examples: list[Segment], count: int, model: Forecaster) -> list[Segment]:
        """Return the beginning of the first series, with `count` windows."""
        taken = []
        for example in examples:
            before = max(0, model.context - len(example.history))
            first = replace(example, values=example.values[: before + count])
            windows = self.num_windows([first], model)
            if count and windows > 0:
                taken.append(first)
                count -= windows
        return taken

    def checksum(self, examples: list[Segment]) -> str:
        return digest(
            (e.id, *e.history, *e.values, *(x for row in e.covariates for x in row))
            for e in examples
        )

    def adapt(self, examples: list[Segment], model: Any) -> tuple[Series, Any]:
        """Return the data, and the model with the scales and the order from the train values.

        A model that has scales stays as it is.
        """
        if model.deviation is not None or not examples:
            return self, model
        train = [example for example in examples if example.split in (None, "train")]
        series = [np.array(example.values) for example in train]
        values = np.concatenate(series) if series else np.zeros(0)
        observed = values[~np.isnan(values)]
        if len(set(observed.tolist())) < 2:
            raise ZooError(
                f"The training values must not all be equal. Received: {len(observed)} values"
                + (f", all {observed[0]}." if len(observed) else ".")
            )
        scales: dict[str, Any] = {
            "mean": float(observed.mean()),
            "deviation": float(observed.std()),
        }
        scales["offset"] = float(offset(scales["mean"], scales["deviation"]))
        if self.covariates or self.calendar:
            rows = [self._covariates(e, len(e.history) + len(e.values)) for e in train]
            scales |= covariate_scales(np.concatenate(rows), self.covariates)
        filled = [fill_missing(each, self.season) for each in series if not np.isnan(each).all()]
        return self, replace(model, **scales).with_order(filled)

    def filter_examples(
        self, examples: list[Segment], model: Forecaster
    ) -> tuple[list[Segment], dict[str, int]]:
        """Return the series with a value after a whole window."""
        context = model.context
        kept = [e for e in examples if len(e.history) + len(e.values) > context]
        if not kept:
            longest = max((len(e.history) + len(e.values) for e in examples), default=0)
            raise ZooError(
                f"A series must have more than {context} values, which is model.context. "
                f"Received: {longest}."
            )
        left_out = len(examples) - len(kept)
        return kept, {f"with no more than {context} values": left_out} if left_out else {}

    # Training

    def windows(
        self, example: Segment, model: Forecaster, horizon: int, stride: int = 1
    ) -> Windows:
        """Return the windows of an example. See `cut_windows`.

        Covariates cover whole calls of the model; the last row is repeated where there are no more.

        Args:
            example: the values, and the history before them.
            model: config of the model.
            horizon: number of targets of a window.
            stride: number of values between the first targets of two windows.

        Raises:
            ZooError: the example has no value after a whole window.
        """
        covariates = None
        if self.covariates or self.calendar:
            ahead = -(-horizon // model.steps) * model.steps
            count = len(example.history) + len(example.values)
            rows = self._covariates(example, count + ahead)
            covariates = (rows - np.array(model.covariate_offsets or 0.0)).astype(np.float32)
        return cut_windows(example, model.context, horizon, stride, self.season, covariates)

    def batches(
        self, examples: list[Segment], model: Forecaster, network: Any, epoch: Epoch
    ) -> Batches:
        """Return batches of shuffled windows with one target or more.

        x has the model inputs; y has `targets` float32 [batch, steps], `weight` float32 [batch, steps],
        0 where a target is missing and 1 elsewhere, and `scale` float32 [batch, 1], the unit of errors.
        """
        steps, batch_size = model.steps, epoch.batch_size
        windows = [self.windows(example, model, steps) for example in examples]
        targets = np.concatenate([each.targets for each in windows])
        inputs = {
            name: np.concatenate([each.inputs[name] for each in windows])
            for name in windows[0].inputs
        }
        offsets = model.offsets(inputs["series"])
        inputs["series"] = (inputs["series"] - offsets).astype(np.float32)
        targets = (targets - offsets).astype(np.float32)
        ids = np.array(
            [
                f"{example.id}, value {number}"
                for example, each in zip(examples, windows, strict=True)
                for number in each.first
            ]
        )
        weight = (~np.isnan(targets)).astype(np.float32)
        order = epoch.generator().permutation(np.flatnonzero(weight.any(axis=1)))

        def generate():
            for begin in range(0, len(order), batch_size):
                rows = order[begin : begin + batch_size]
                x = {name: array[rows] for name, array in inputs.items()}
                y = {
                    "targets": np.nan_to_num(targets[rows]),
                    "weight": weight[rows],
                    "scale": model.graph_scale(x["series"]).astype(np.float32),
                }
                yield x, y, ids[rows]

        columns = {"targets": steps, "weight": steps, "scale": 1}
        x_spec = {name: ((None, *array.shape[1:]), "float32") for name, array in inputs.items()}
        y_spec = {name: ((None, width), "float32") for name, width in columns.items()}
        count = -(-self.num_windows(examples, model) // batch_size)
        return Batches(generate, (x_spec, y_spec), count)

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.timeseries.forecasting.baselines import series_baselines

        return series_baselines(predictor, examples, seed)

    # Use

    def read_input(self, source: Any, model: Forecaster) -> Item:
        """Return the series of an input.

        A forecast begins after the last value that is not missing; later rows may have covariates.

        Args:
            source: path of a file that `tables.read_tables` reads; a NumPy array [time] or a list of
                numbers; or a pandas Series or DataFrame, whose datetime index gives the times.
            model: config of the model.

        Returns:
            `names`, the name of each series, and `history`, a `Segment` of each series.

        Raises:
            ZooError: the input cannot be read, or a series has too few values.
        """
        segments: dict[str, Segment] = {}
        for series, table in read_input_tables(source, self._columns).items():
            segments |= table_segments(table, table_name(source), series)
        for segment in segments.values():
            if len(segment.values) < model.context:
                raise ZooError(
                    f"{segment.id}: a series must have at least {model.context} values. "
                    f"Received: {len(segment.values)}."
                )
        return {"names": list(segments), "history": list(segments.values())}

    def future_inputs(
        self, item: Item, model: Any, horizon: int
    ) -> tuple[dict[str, np.ndarray], list[list[str]] | None]:
        segments: list[Segment] = item["history"]
        windows = []
        for segment in segments:
            ahead = len(segment.covariates) - len(segment.values)
            if self.covariates and ahead < horizon:
                raise ZooError(
                    f"{segment.id}: {', '.join(self.covariates)} must be given in {horizon} rows after "
                    f"the last value, the horizon. Received: {ahead}."
                )
            # The window before a value that is not known yet.
            future = replace(segment, values=(np.nan,), history=segment.values)
            windows.append(self.windows(future, model, horizon).inputs)
        inputs = {name: np.concatenate([each[name] for each in windows]) for name in windows[0]}
        return inputs, _forecast_times(segments, horizon)

    def formats(self, task: Any, model: Any, decoder: Any) -> dict[str, Format]:
        """Return CSV, with one line per step of each series."""
        from zoo.timeseries.forecasting.formats import csv_format

        return {"csv": csv_format(has_interval=bool(decoder.interval))}

    def plot_input(
        self, predictor: Predictor[Any, Any, Any], task: Any, source: Any, path: Path
    ) -> None:
        """Draw the end of each series and its forecast."""
        from zoo.timeseries.forecasting.plots import plot_forecast

        item = self.read_input(source, predictor.model)
        plot_forecast(item, task.answer(predictor, item), path)

    # Export

    def export_metadata(self, model: Any) -> dict[str, Any]:
        """Return the columns of the model input `covariates`, and what is subtracted from the inputs.

        `covariates` has first the columns, then the calendar. The graph `model` takes and returns values
        minus `offset`, and takes covariates minus `covariate_offsets`.
        """
        names = {"covariates": self.covariates, "calendar": self.calendar}
        offsets = {"offset": model.offset, "covariate_offsets": model.covariate_offsets}
        return names | offsets

    def raw_inputs(self, model: Forecaster, decoder: Any) -> dict[str, RawInput]:
        """Return the model's inputs, with covariates of the whole horizon."""
        from zoo.timeseries.forecasting.signatures import series_input

        return {"serving_default": series_input(model, decoder.horizon)}

    def example_inputs(self, model: Forecaster, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return windows of the laser, repeated if the context is longer, plus the offsets of the model.

        The values of the laser are also the covariates.
        """
        sizes = (1, 3, 16)
        count = model.context + sum(sizes)
        values = np.resize(np.array(read_values(SAMPLE)), count)
        size = len(self.covariates)
        offsets = np.array(model.covariate_offsets or (0.0,) * len(model.covariate_means))
        columns = np.resize(values, (count, size)) + offsets[:size]
        sample = Segment(
            "laser",
            tuple(values + model.offset),
            covariates=tuple(map(tuple, columns)),
            time_index=SAMPLE_TIMES,
        )

        def batches(ahead: int, of_data: bool) -> list[dict[str, Any]]:
            inputs = self.windows(sample, model, ahead).inputs
            inputs["series"] = inputs["series"] - (0.0 if of_data else model.offset)
            if of_data and "covariates" in inputs:
                inputs["covariates"] = inputs["covariates"] + offsets
            return [
                {name: array[n : 2 * n].astype(np.float32) for name, array in inputs.items()}
                for n in sizes
            ]

        return {
            "model": batches(model.steps, of_data=False),
            "serving_default": batches(decoder.horizon, of_data=True),
        }

    @property
    def _columns(self) -> Columns:
        return Columns(self.target, self.covariates, self.time_column, self.date_format, self.fill)

    def _covariates(self, segment: Segment, count: int) -> np.ndarray:
        return covariate_rows(segment, count, self.covariates, self.calendar)


def _forecast_times(segments: list[Segment], horizon: int) -> list[list[str]] | None:
    """Return the forecast times of each series as text; None for series without times."""
    texts = [
        each.time_index.texts(len(each.values), horizon) for each in segments if each.time_index
    ]
    return texts if len(texts) == len(segments) else None
