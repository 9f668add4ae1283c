"""Labelled series as data: a series of several channels, and its class."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.data import Batches, Data, Item, RawInput
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import asset
from zoo.common.data.batching import pad, shuffled_windows
from zoo.common.data.labels import LABELS_FILE, Labels
from zoo.common.data.manifests import digest
from zoo.common.data.sequence_input import sequence_input
from zoo.common.data.splits import split_by_group
from zoo.common.runtime.keras_model import MODEL
from zoo.common.utils.files import read_text
from zoo.timeseries.classification.corpora.labelled_series import LabelledSeries, read_rows, read_ts

if TYPE_CHECKING:
    from zoo.common.core.model import ModelConfig
    from zoo.common.core.recipe import Recipe

SAMPLE = Path(__file__).parents[1] / "samples" / "vowels.csv"


@dataclass(frozen=True)
class SeriesWithClass(Data):
    """Series of several channels, each with a class.

    Models have the inputs `series` float32 [batch, time, channels], values as they are, and `lengths`
    int32 [batch]; the config has `channel_means`, `channel_deviations` and `num_classes`, which `adapt`
    sets.

    labels: Labels. The classes. Empty: taken from the examples of the run.
    """

    input_example: ClassVar[str] = "recording.csv"

    labels: Labels = asset(Labels((), "class"))

    # Reading --------------------------------------------------------------------------------------

    def read_manifest(self, path: Path) -> list[LabelledSeries]:
        """See `Data.read_manifest`: a `.ts` file, the form of the UCR and UEA archives."""
        return read_ts(path)

    def split_dev(
        self, examples: list[LabelledSeries], fraction: float, seed: int
    ) -> tuple[list[LabelledSeries], list[LabelledSeries]]:
        """See `Data.split_dev`: series by series."""
        return split_by_group(examples, lambda example: example.id, fraction, seed)

    def checksum(self, examples: list[LabelledSeries]) -> str:
        """See `Data.checksum`."""
        return digest((e.id, e.transcript, *(x for row in e.values for x in row)) for e in examples)

    def adapt(self, examples: list[LabelledSeries], model: ModelConfig) -> tuple[Data, ModelConfig]:
        """See `Data.adapt`: the classes, and the scaling of each channel by what is learnt from."""
        data = self
        if not len(self.labels):
            data = replace(self, labels=Labels.of((e.transcript for e in examples), "class"))
        model = replace(model, num_classes=data.labels.size)
        if model.channel_means or not examples:
            return data, model
        rows = np.array([row for e in examples if e.split in (None, "train") for row in e.values])
        means, deviations = rows.mean(axis=0), rows.std(axis=0)
        if not deviations.all():
            channel = int(np.argmin(deviations)) + 1
            raise ZooError(f"Channel {channel} must differ: it is {means[channel - 1]} throughout.")
        scales = {"channel_means": means, "channel_deviations": deviations}
        return data, replace(model, **{key: tuple(x.tolist()) for key, x in scales.items()})

    def filter_examples(
        self, examples: list[LabelledSeries], recipe: Recipe
    ) -> tuple[list[LabelledSeries], dict[str, int]]:
        """See `Data.filter_examples`: all, or an error for a class that is none of the labels or another
        number of channels."""
        for example in examples:
            self.labels.class_of(example)
            self.read_example(example, recipe)
        return examples, {}

    # Learning -------------------------------------------------------------------------------------

    def batches(
        self, model: Any, recipe: Recipe, examples: list[LabelledSeries], epoch: int
    ) -> Batches:
        """See `Data.batches`: x as of `collate`; y has `label` int32 [batch]."""
        labels = np.array([self.labels.class_of(example) for example in examples], np.int32)
        lengths = [len(example.values) for example in examples]

        def generate():
            generator = np.random.default_rng([recipe.training.seed, epoch])
            for rows in shuffled_windows(lengths, recipe.training.batch_size, generator):
                x = self.collate(self.read_example(examples[i], recipe) for i in rows)
                yield x, {"label": labels[rows]}, np.array([examples[i].id for i in rows])

        channels = len(recipe.model.channel_means)
        x = {"series": ((None, None, channels), "float32"), "lengths": ((None,), "int32")}
        return Batches(generate, (x, {"label": ((None,), "int32")}))

    def steps_per_epoch(self, recipe: Recipe, examples: list[LabelledSeries]) -> int:
        """See `Data.steps_per_epoch`."""
        return -(-len(examples) // recipe.training.batch_size)

    # Use ------------------------------------------------------------------------------------------

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """Return a CSV file, a row for each time, as `series` float32 [time, channels]. Raises as
        `read_rows`, and for another number of channels."""
        return {"series": self._checked(read_rows(Path(source)), source, recipe)}

    def read_example(self, example: LabelledSeries, recipe: Recipe) -> Item:
        """See `Data.read_example`."""
        values = np.array(example.values, np.float32)
        return {"series": self._checked(values, example.id, recipe)}

    def _checked(self, values: np.ndarray, name: str, recipe: Recipe) -> np.ndarray:
        channels = len(recipe.model.channel_means)
        if values.shape[1] != channels:
            raise ZooError(
                f"{name}: it must have {channels} channels. Received: {values.shape[1]}."
            )
        return values

    def length(self, example: LabelledSeries) -> float:
        """See `Data.length`: in times."""
        return len(example.values)

    def collate(self, items: Iterable[Item]) -> dict[str, np.ndarray]:
        """See `Data.collate`: `series` [batch, time, channels] and `lengths` int32 [batch]."""
        series, lengths = pad([item["series"] for item in items])
        return {"series": series, "lengths": lengths}

    # Delivery -------------------------------------------------------------------------------------

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`: the classes."""
        return self.labels.facts()

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: series with lengths, as the model takes them."""
        entry = sequence_input("series", (len(recipe.model.channel_means),), "times")
        return {"serving_default": entry}

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: a recording of the corpus and parts of it; other channels
        repeat its own."""
        values = read_rows(SAMPLE)
        shape = (len(values), len(recipe.model.channel_means))
        values = values[:, np.arange(shape[1]) % values.shape[1]]
        items = [{"series": values[begin:]} for begin in (0, 2, 5)]
        batches = [self.collate([item]) for item in items] + [self.collate(items)]
        return {"serving_default": batches, MODEL: batches}

    def assets(self) -> dict[str, str]:
        """See `Data.assets`: a line for each class."""
        return {LABELS_FILE: self.labels.to_text()}

    def with_assets(self, folder: Path) -> SeriesWithClass:
        """See `Data.with_assets`."""
        path = folder / LABELS_FILE
        return replace(self, labels=Labels.from_text(read_text(path), path, "class"))
