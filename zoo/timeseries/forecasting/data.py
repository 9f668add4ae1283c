"""Series as data: windows of past values in, the values after each window as the targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.data import Batches, Data, Item, RawInput
from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.core.recipe import asset
from zoo.common.data.manifests import digest
from zoo.common.metrics.intervals import INTERVALS_FILE, Intervals
from zoo.timeseries.forecasting.corpora.segment import (
    Segment,
    read_segments,
    read_series,
    read_values,
)
from zoo.timeseries.forecasting.covariates import covariate_scales, known_rows
from zoo.timeseries.forecasting.tables import Columns
from zoo.timeseries.forecasting.time_index import CALENDAR, Clock
from zoo.timeseries.forecasting.windows import Windows, cut_windows, fill_missing

if TYPE_CHECKING:
    from zoo.common.core.formats import Format
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe
    from zoo.timeseries.forecasting.forecaster import Forecaster

SAMPLE = Path(__file__).parents[1] / "samples" / "laser.txt"
# The clock of examples for exports that have no times.
SAMPLE_CLOCK = Clock("1996-03-18", 1)


@dataclass(frozen=True)
class Series(Data):
    """One series of numbers, or several that one model learns from.

    An example is a `Segment`. Its windows are made of the model's `context`: each value that has that
    many before it is a target. Models take values as they are, and answer in the same units.

    target: str. The column of a table that is forecast; None as `zoo.timeseries.forecasting.tables.Columns` says.
    covariates: tuple of str. Columns that are known of every time, also of those to be forecast.
    calendar: tuple of str. What is read from times, beside: "hour", "weekday", "month".
    season: int. A missing value is read as the one so many steps before.
    intervals: Intervals. Around forecasts; None before a run has ended.
    """

    input_example: ClassVar[str] = "series.csv"
    counted: ClassVar[tuple[str, str]] = ("values", "values")

    target: str | None = None
    covariates: tuple[str, ...] = ()
    calendar: tuple[str, ...] = ()
    season: int = 1
    intervals: Intervals | None = asset(None)

    def __post_init__(self):
        for name in self.calendar:
            check_choice("data.calendar", name, CALENDAR)
        check_range("data.season", self.season, at_least=1)

    # Reading --------------------------------------------------------------------------------------

    def read_manifest(self, path: Path) -> list[Segment]:
        """See `Data.read_manifest`: a file as `zoo.timeseries.forecasting.tables.read_table` reads it, perhaps with
        a column `split`."""
        return read_segments(path, self._columns)

    def split_dev(
        self, examples: list[Segment], fraction: float, seed: int
    ) -> tuple[list[Segment], list[Segment]]:
        """Split off the end of each series, whatever the seed: a forecast is of what comes later."""
        train, dev = [], []
        for example in examples:
            begin = len(example.values) - round(len(example.values) * fraction)
            head, tail = example.values[:begin], example.values[begin:]
            if not head or not tail:
                raise ZooError(
                    f"{example.id}: it must have more values to split off a dev part of {fraction}. "
                    f"Received: {len(example.values)}."
                )
            train.append(replace(example, values=head))
            history = (*example.history, *head)
            id_ = f"{example.id}, last part"
            dev.append(replace(example, id=id_, values=tail, history=history, split="dev"))
        return train, dev

    def num_examples(self, examples: list[Segment]) -> int:
        """Values."""
        return sum(len(example.values) for example in examples)

    def num_windows(self, examples: list[Segment], recipe: Recipe) -> int:
        """See `Data.num_windows`: values after as many others as a window has."""
        context = recipe.model.context
        return sum(len(e.values) - max(0, context - len(e.history)) for e in examples)

    def take_windows(self, examples: list[Segment], count: int, recipe: Recipe) -> list[Segment]:
        """See `Data.take_windows`: the beginning of the first series."""
        taken = []
        for example in examples:
            before = max(0, recipe.model.context - len(example.history))
            first = replace(example, values=example.values[: before + count])
            windows = self.num_windows([first], recipe)
            if count and windows > 0:
                taken.append(first)
                count -= windows
        return taken

    def checksum(self, examples: list[Segment]) -> str:
        """See `Data.checksum`."""
        return digest(
            (e.id, *e.history, *e.values, *(x for row in e.covariates for x in row))
            for e in examples
        )

    def adapt(self, examples: list[Segment], model: Forecaster) -> tuple[Data, Forecaster]:
        """See `Data.adapt`: the scaling of a model that has none, and what else it takes from the values
        to learn from."""
        if model.deviation is not None or not examples:
            return self, model
        train = [example for example in examples if example.split in (None, "train")]
        series = [np.array(example.values) for example in train]
        values = np.concatenate(series) if series else np.zeros(0)
        observed = values[~np.isnan(values)]
        if len(set(observed.tolist())) < 2:
            raise ZooError(
                f"The values to learn from must differ from each other. Received: {len(observed)}, "
                f"all of them {observed[0] if len(observed) else None}."
            )
        known = {"mean": float(observed.mean()), "deviation": float(observed.std())}
        if self.covariates or self.calendar:
            rows = [self._known(e, len(e.history) + len(e.values)) for e in train]
            known |= covariate_scales(np.concatenate(rows), self.covariates)
        filled = [fill_missing(each, self.season) for each in series if not np.isnan(each).all()]
        return self, replace(model, **known).with_order(filled)

    def filter_examples(
        self, examples: list[Segment], recipe: Recipe
    ) -> tuple[list[Segment], dict[str, int]]:
        """See `Data.filter_examples`: those with a value after a whole window."""
        context = recipe.model.context
        kept = [e for e in examples if len(e.history) + len(e.values) > context]
        if not kept:
            longest = max((len(e.history) + len(e.values) for e in examples), default=0)
            raise ZooError(
                f"A series must have more than {context} values, model.context. Received: {longest}."
            )
        left_out = len(examples) - len(kept)
        return kept, {f"with no more than {context} values": left_out} if left_out else {}

    # Learning -------------------------------------------------------------------------------------

    def windows(self, example: Segment, recipe: Recipe, horizon: int, stride: int = 1) -> Windows:
        """Return the windows of an example, see `cut_windows`; covariates are of as many steps ahead as
        whole calls of the model give, the last known ones repeated where there are no more.

        Raises:
            ZooError: there are none.
        """
        covariates = None
        if self.covariates or self.calendar:
            ahead = -(-horizon // recipe.model.steps) * recipe.model.steps
            count = len(example.history) + len(example.values)
            covariates = self._known(example, count + ahead)
        return cut_windows(example, recipe.model.context, horizon, stride, self.season, covariates)

    def batches(self, model: Any, recipe: Recipe, examples: list[Segment], epoch: int) -> Batches:
        """See `Data.batches`: shuffled windows with one target or more.

        x is as the model takes it; y has `targets` float32 [batch, steps], `weight` float32 [batch,
        steps], 0 where a target is missing and 1 elsewhere, and `scale` float32 [batch, 1], the unit
        that an error is measured in.
        """
        steps, batch_size = recipe.model.steps, recipe.training.batch_size
        windows = [self.windows(example, recipe, steps) for example in examples]
        targets = np.concatenate([each.targets for each in windows])
        inputs = {
            name: np.concatenate([each.inputs[name] for each in windows])
            for name in windows[0].inputs
        }
        ids = np.array(
            [
                f"{example.id}, value {number}"
                for example, each in zip(examples, windows, strict=True)
                for number in each.first
            ]
        )
        weight = (~np.isnan(targets)).astype(np.float32)
        rows = np.flatnonzero(weight.any(axis=1))
        order = np.random.default_rng((recipe.training.seed, epoch)).permutation(rows)

        def generate():
            for begin in range(0, len(order), batch_size):
                rows = order[begin : begin + batch_size]
                x = {name: array[rows] for name, array in inputs.items()}
                y = {
                    "targets": np.nan_to_num(targets[rows]),
                    "weight": weight[rows],
                    "scale": recipe.model.scale(x["series"]),
                }
                yield x, y, ids[rows]

        columns = {"targets": steps, "weight": steps, "scale": 1}
        x_spec = {name: ((None, *array.shape[1:]), "float32") for name, array in inputs.items()}
        y_spec = {name: ((None, width), "float32") for name, width in columns.items()}
        return Batches(generate, (x_spec, y_spec))

    def steps_per_epoch(self, recipe: Recipe, examples: list[Segment]) -> int:
        """See `Data.steps_per_epoch`."""
        return -(-self.num_windows(examples, recipe) // recipe.training.batch_size)

    # Use ------------------------------------------------------------------------------------------

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """Return the last values of each series of a file.

        A forecast begins after the last value that is there; rows below it may have covariates.

        Returns:
            `series` and `covariates` as of `Windows.inputs`, a row for each series; `names`, a list of
            str; `times`, a list of what is forecast of each, as text, or None without times; `history`,
            a list of Segment, what there is of each.

        Raises:
            ZooError: as `read_series`, too few values, or no covariates of what is to be forecast.
        """
        context, horizon = recipe.model.context, recipe.decoder.horizon
        ended = [_trimmed(segment) for segment in read_series(Path(source), self._columns)]
        items = []
        for _, segment in ended:
            count = len(segment.values)
            if count < context:
                raise ZooError(
                    f"{segment.id}: it must have {context} values or more. Received: {count}."
                )
            there = len(segment.covariates) - count
            if self.covariates and there < horizon:
                raise ZooError(
                    f"{segment.id}: {', '.join(self.covariates)} must be given in {horizon} rows after "
                    f"the last value, the horizon. Received: {there}."
                )
            # The windows of a value that is still to come.
            coming = replace(segment, values=(np.nan,), history=segment.values)
            items.append(self.windows(coming, recipe, horizon).inputs)
        inputs = {name: np.concatenate([each[name] for each in items]) for name in items[0]}
        segments = [segment for _, segment in ended]
        return inputs | {
            "names": [name for name, _ in ended],
            "times": _times(segments, horizon),
            "history": segments,
        }

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """See `Data.collate`: all series of all items."""
        names = [name for name in ("series", "covariates") if name in items[0]]
        return {name: np.concatenate([item[name] for item in items]) for name in names}

    def formats(self, recipe: Recipe) -> dict[str, Format]:
        """See `Data.formats`: CSV, a line for each step of each series."""
        from zoo.timeseries.forecasting.output import csv_format

        return {"csv": csv_format(recipe)}

    def plot(self, graphs: Graphs, recipe: Recipe, source: str, path: Path) -> None:
        """See `Data.plot`: the end of each series, and its forecast."""
        from zoo.timeseries.forecasting.output import plot_forecast

        item = self.read_input(source, recipe)
        plot_forecast(item, recipe.task.answer(graphs, recipe, item), path)

    # Delivery -------------------------------------------------------------------------------------

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`: the columns of `covariates`, and what of the calendar follows them."""
        return {"covariates": self.covariates, "calendar": self.calendar}

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: the model's inputs, covariates of the whole horizon."""
        import tensorflow as tf

        model = recipe.model
        # The least steps of each, so that the graph tells what is missing.
        calls = -(-recipe.decoder.horizon // model.steps)
        least = {"series": model.context, "covariates": model.context + calls * model.steps}
        spec = [tf.TensorSpec((None, None), tf.float32, "series")]
        if model.covariate_means:
            shape = (None, None, len(model.covariate_means))
            spec.append(tf.TensorSpec(shape, tf.float32, "covariates"))

        def to_inputs(*raw):
            inputs = {each.name: tensor for each, tensor in zip(spec, raw, strict=True)}
            sizes = {name: tf.shape(tensor)[1] for name, tensor in inputs.items()}
            checks = [
                tf.debugging.Assert(
                    size == least[name] if name == "series" else size >= least[name],
                    [f"{name} must have {least[name]} steps of time. Received:", size],
                )
                for name, size in sizes.items()
            ]
            with tf.control_dependencies(checks):
                inputs = {name: tf.identity(tensor) for name, tensor in inputs.items()}
            return inputs | {"series": tf.ensure_shape(inputs["series"], (None, model.context))}

        return {"serving_default": RawInput(spec, to_inputs)}

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: windows of the laser, repeated where the context is longer."""
        sizes, steps, horizon = (1, 3, 16), recipe.model.steps, recipe.decoder.horizon
        count = recipe.model.context + sum(sizes)
        values = np.resize(np.array(read_values(SAMPLE)), count)
        # Of known columns there is no sample: the laser's own values stand in.
        columns = np.resize(values, (count, len(self.covariates)))
        sample = Segment(
            "laser", tuple(values), covariates=tuple(map(tuple, columns)), clock=SAMPLE_CLOCK
        )

        def batches(ahead):
            inputs = self.windows(sample, recipe, ahead).inputs
            return [
                {name: array[n : 2 * n].copy() for name, array in inputs.items()} for n in sizes
            ]

        return {"model": batches(steps), "serving_default": batches(horizon)}

    def assets(self) -> dict[str, str]:
        """See `Data.assets`: the intervals, where there are any."""
        return {INTERVALS_FILE: self.intervals.to_text()} if self.intervals else {}

    def with_assets(self, folder: Path) -> Series:
        """See `Data.with_assets`: a run that has not ended has no intervals."""
        path = folder / INTERVALS_FILE
        return replace(self, intervals=Intervals.read(path) if path.exists() else None)

    # Parts ----------------------------------------------------------------------------------------

    @property
    def _columns(self) -> Columns:
        return Columns(self.target, self.covariates)

    def _known(self, segment: Segment, count: int) -> np.ndarray:
        return known_rows(segment, count, self.covariates, self.calendar)


def _trimmed(named: tuple[str, Segment]) -> tuple[str, Segment]:
    """A series without the missing values at its end."""
    name, segment = named
    last = np.flatnonzero(~np.isnan(segment.values))[-1]
    return name, replace(segment, values=segment.values[: last + 1])


def _times(segments: Sequence[Segment], horizon: int) -> list[list[str]] | None:
    """The times that are forecast of each series, as text; None where they are not known."""
    if segments[0].clock is None:
        return None
    return [
        [str(time).replace("T", " ") for time in each.clock.times(len(each.values), horizon)]
        for each in segments
    ]
