"""Clips as data: what is seen for a while, and its class. Skeletons and videos are such clips."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.data import Batches, Data, Item
from zoo.common.core.recipe import asset
from zoo.common.data.batching import keep_readable, pad, pad_to_multiple, shuffled_windows
from zoo.common.data.labels import LABELS_FILE, Labels
from zoo.common.data.splits import split_by_group
from zoo.common.utils.files import read_text

if TYPE_CHECKING:
    from zoo.common.core.model import ModelConfig
    from zoo.common.core.recipe import Recipe

# XLA compiles anew for each shape, so batches are padded to multiples of so many frames.
FRAME_BUCKET = 32


@dataclass(frozen=True)
class Clips(Data):
    """Clips, each with a class, read by a model with an answer at every frame.

    Models have the input that `frames` names, float32 [batch, time, ...], and `lengths` int32 [batch],
    the frames of each before padding; their config has `num_classes`, which `adapt` sets. An item has
    that input without its batch, and `times` float64 [time + 1]: when each frame begins, in seconds, and
    when the last one ends. Subclasses have a field `frame_rate`, frames in a second.

    labels: Labels. The classes. Empty: taken from the examples of the run.
    """

    # The name of the model's input.
    frames: ClassVar[str]

    labels: Labels = asset(Labels((), "class"))

    @property
    @abstractmethod
    def frame_shape(self) -> tuple[int, ...]:
        """The shape of one frame as the model takes it."""

    @abstractmethod
    def group_of(self, example: Any) -> str:
        """What must not be both in train and in dev, such as who moves."""

    @abstractmethod
    def augment(self, frames: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """The frames of an item with random changes, for training."""

    # Reading --------------------------------------------------------------------------------------

    def split_dev(
        self, examples: list[Any], fraction: float, seed: int
    ) -> tuple[list[Any], list[Any]]:
        """See `Data.split_dev`: by `group_of`."""
        return split_by_group(examples, self.group_of, fraction, seed)

    def adapt(self, examples: list[Any], model: ModelConfig) -> tuple[Data, ModelConfig]:
        """See `Data.adapt`: takes the classes from the examples, where it has none."""
        labels = self.labels
        if not len(labels):
            labels = Labels.of((e.transcript for e in examples), "class")
        return replace(self, labels=labels), replace(model, num_classes=labels.size)

    def filter_examples(
        self, examples: list[Any], recipe: Recipe
    ) -> tuple[list[Any], dict[str, int]]:
        """See `Data.filter_examples`. Raises `ZooError` too for a class that is none of the labels."""
        for example in examples:
            self.labels.class_of(example)
        return keep_readable(examples, lambda e: self.read_example(e, recipe), "unreadable")

    # Learning -------------------------------------------------------------------------------------

    def batches(self, model: Any, recipe: Recipe, examples: list[Any], epoch: int) -> Batches:
        """See `Data.batches`: x as of `collate`, of augmented frames; y has `label` int32 [batch]."""
        labels = np.array([self.labels.class_of(example) for example in examples], np.int32)
        lengths_of = [self.length(example) for example in examples]
        seed, size = recipe.training.seed, recipe.training.batch_size

        def generate():
            generator = np.random.default_rng((seed, epoch))
            for rows in shuffled_windows(lengths_of, size, generator):
                clips = [self.read_example(examples[i], recipe)[self.frames] for i in rows]
                clips = [self.augment(clip, generator) for clip in clips]
                x = self.collate({self.frames: clip} for clip in clips)
                x[self.frames] = pad_to_multiple(x[self.frames], FRAME_BUCKET)
                yield x, {"label": labels[rows]}, np.array([examples[i].id for i in rows])

        x = {
            self.frames: ((None, None, *self.frame_shape), "float32"),
            "lengths": ((None,), "int32"),
        }
        return Batches(generate, (x, {"label": ((None,), "int32")}))

    def steps_per_epoch(self, recipe: Recipe, examples: list[Any]) -> int:
        """See `Data.steps_per_epoch`."""
        return -(-len(examples) // recipe.training.batch_size)

    # Use ------------------------------------------------------------------------------------------

    def about_input(self, item: Item, recipe: Recipe) -> dict[str, Any]:
        """See `Data.about_input`: `seconds`."""
        return {"seconds": round(float(item["times"][-1] - item["times"][0]), 3)}

    def collate(self, items: Iterable[Item]) -> dict[str, np.ndarray]:
        """See `Data.collate`: frames [batch, time, ...] and `lengths` int32 [batch]."""
        frames, lengths = pad([item[self.frames] for item in items])
        return {self.frames: frames, "lengths": lengths}

    # Delivery -------------------------------------------------------------------------------------

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`: the classes, and the frames in a second."""
        return self.labels.facts() | {"frame_rate": self.frame_rate}

    def assets(self) -> dict[str, str]:
        """See `Data.assets`: a line for each class."""
        return {LABELS_FILE: self.labels.to_text()}

    def with_assets(self, folder: Path) -> Data:
        """See `Data.with_assets`."""
        path = folder / LABELS_FILE
        return replace(self, labels=Labels.from_text(read_text(path), path, "class"))
