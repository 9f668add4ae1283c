"""Labelled series as data: series of several channels as inputs, and their classes as targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.capabilities import RawInput, RawInputs
from zoo.common.core.data import Batches, Epoch, Item
from zoo.common.core.errors import ZooError
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import asset
from zoo.common.core.task import input_name
from zoo.common.data.batching import pad, shuffled_windows
from zoo.common.data.labels import LABELS_FILE, LabelledData, Labels
from zoo.common.data.manifests import digest
from zoo.common.data.sequence_input import sequence_input
from zoo.common.runtime.keras_model import MODEL
from zoo.timeseries.classification.corpora.labelled_series import LabelledSeries, read_rows, read_ts

SAMPLE = Path(__file__).parents[1] / "samples" / "vowels.csv"


@dataclass(frozen=True)
class SeriesWithClass(LabelledData, RawInputs, Baselines):
    """Series of several channels, each with a class.

    Models have the inputs `series` float32 [batch, time, channels], unscaled values, and `lengths` int32
    [batch]. Their config has `channel_means`, `channel_deviations` and `num_classes`, set by `adapt`.

    Args:
        labels: the classes; empty to take them from the examples of a training.
    """

    input_example: ClassVar[str] = "recording.csv"
    accepts_arrays: ClassVar[bool] = True

    labels: Labels = asset(Labels, file=LABELS_FILE)

    def __post_init__(self):
        object.__setattr__(self, "labels", self.labels.with_unit("class"))

    # Reading

    def read_manifest(self, path: Path) -> list[LabelledSeries]:
        """Return the series of a `.ts` file, the format of the UCR and UEA archives."""
        return read_ts(path)

    def checksum(self, examples: list[LabelledSeries]) -> str:
        return digest((e.id, e.label, *(x for row in e.values for x in row)) for e in examples)

    def adapt(self, examples: list[LabelledSeries], model: Any) -> tuple[SeriesWithClass, Any]:
        """Return the data with the classes, and the model with the scale of each training channel."""
        data = self
        if not self.labels:
            data = replace(self, labels=Labels.of((e.label for e in examples), "class"))
        model = replace(model, num_classes=data.labels.size)
        if model.channel_means or not examples:
            return data, model
        rows = np.array([row for e in examples if e.split in (None, "train") for row in e.values])
        means, deviations = rows.mean(axis=0), rows.std(axis=0)
        if not deviations.all():
            channel = int(np.argmin(deviations))
            raise ZooError(
                f"Channel {channel + 1} must not be constant. Received: only {means[channel]:g}."
            )
        scales = {"channel_means": means, "channel_deviations": deviations}
        return data, replace(model, **{key: tuple(x.tolist()) for key, x in scales.items()})

    def filter_examples(
        self, examples: list[LabelledSeries], model: Any
    ) -> tuple[list[LabelledSeries], dict[str, int]]:
        """Return all examples.

        Raises:
            ZooError: a class is not among the labels, or the number of channels differs.
        """
        for example in examples:
            self.labels.class_of(example)
            self.read_example(example, model)
        return examples, {}

    # Training

    def batches(
        self, examples: list[LabelledSeries], model: Any, network: Any, epoch: Epoch
    ) -> Batches:
        """Return batches whose x is the result of `collate` and whose y has `label` int32 [batch]."""
        labels = np.array([self.labels.class_of(example) for example in examples], np.int32)
        lengths = [len(example.values) for example in examples]

        def generate():
            for rows in shuffled_windows(lengths, epoch.batch_size, epoch.generator()):
                x = self.collate([self.read_example(examples[i], model) for i in rows])
                yield x, {"label": labels[rows]}, np.array([examples[i].id for i in rows])

        channels = len(model.channel_means)
        x = {"series": ((None, None, channels), "float32"), "lengths": ((None,), "int32")}
        steps = -(-len(examples) // epoch.batch_size)
        return Batches(generate, (x, {"label": ((None,), "int32")}), steps)

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.timeseries.classification.baselines import series_baselines

        return series_baselines(predictor, examples, seed)

    # Use

    def read_input(self, source: Any, model: Any) -> Item:
        """Return `series` float32 [time, channels].

        Args:
            source: path of a CSV file with one row per time step, see `read_rows`; or an array or a
                pandas DataFrame [time, channels].
            model: config of the model.
        """
        if isinstance(source, str | Path):
            return {"series": _checked(read_rows(Path(source)), str(source), model)}
        return {"series": _checked(_array(source), input_name(source), model)}

    def read_example(self, example: LabelledSeries, model: Any) -> Item:
        values = np.array(example.values, np.float32)
        return {"series": _checked(values, example.id, model)}

    def sort_key(self, example: LabelledSeries) -> float:
        """Return the number of time steps."""
        return len(example.values)

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """Return `series` float32 [batch, time, channels] and `lengths` int32 [batch]."""
        series, lengths = pad([item["series"] for item in items])
        return {"series": series, "lengths": lengths}

    # Export

    def export_metadata(self, model: Any) -> dict[str, Any]:
        """Return the classes."""
        return self.labels.export_metadata()

    def raw_inputs(self, model: Any, decoder: Any) -> dict[str, RawInput]:
        """Return the model inputs, with a check of the lengths."""
        entry = sequence_input("series", (len(model.channel_means),), "times")
        return {"serving_default": entry}

    def example_inputs(self, model: Any, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return a recording of the corpus and parts of it, with its channels repeated if necessary."""
        values = read_rows(SAMPLE)
        values = values[:, np.arange(len(model.channel_means)) % values.shape[1]]
        items = [{"series": values[begin:]} for begin in (0, 2, 5)]
        batches = [self.collate([item]) for item in items] + [self.collate(items)]
        return {"serving_default": batches, MODEL: batches}


def _array(source: Any) -> np.ndarray:
    """Return an array or a DataFrame as float32 [time, channels]."""
    try:
        values = np.asarray(source, np.float32)
    except (TypeError, ValueError):
        values = np.zeros(0, np.float32)
    if values.ndim != 2 or not len(values) or not np.isfinite(values).all():
        raise ZooError(
            "A series must be a path, or an array [time, channels] of finite numbers. "
            f"Received: {input_name(source)} of the shape {list(values.shape)}."
        )
    return values


def _checked(values: np.ndarray, name: str, model: Any) -> np.ndarray:
    channels = len(model.channel_means)
    if values.shape[1] != channels:
        raise ZooError(
            f"{name}: a series must have {channels} channels. Received: {values.shape[1]}."
        )
    return values
