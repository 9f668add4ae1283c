"""Clips with classes: the base class of skeletons and videos as data kinds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.capabilities import FileInputs, InputPlots, RawInput, RawInputs
from zoo.common.core.data import Batches, Data, Epoch, Item
from zoo.common.core.settings import asset
from zoo.common.data.batching import keep_readable, pad, pad_to_multiple, shuffled_windows
from zoo.common.data.labels import LABELS_FILE, LabelledData, Labels
from zoo.common.data.sequence_input import sequence_input

# XLA compiles again for each new shape, so batches are padded to a multiple of this number of frames.
FRAME_BUCKET = 32


@dataclass(frozen=True)
class Clips(LabelledData, FileInputs, InputPlots, RawInputs):
    """Clips with one class each, for models that answer at every frame.

    The model has the inputs named by `frames`, float32 [batch, time, ...], and `lengths` int32 [batch],
    the number of frames before padding. The config of the model has `num_classes`, which `adapt` sets.
    An item has the frames without the batch axis, and `times` float64 [time + 1]: the start of each
    frame and the end of the last one, in seconds.

    Args:
        labels: the classes; if empty, `adapt` takes them from the examples.
        frame_rate: frames per second.
    """

    # Name of the model's input.
    frames: ClassVar[str]

    labels: Labels = asset(Labels, file=LABELS_FILE)
    frame_rate: float = 15.0

    def __post_init__(self):
        object.__setattr__(self, "labels", self.labels.with_unit("class"))

    @property
    @abstractmethod
    def frame_shape(self) -> tuple[int, ...]:
        """The shape of one frame of the model's input."""

    @abstractmethod
    def augment(self, frames: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """Return the frames of an item with random changes, for training.

        Args:
            frames: float32 [time, ...].
            generator: draws the changes.

        Returns:
            float32 [time, ...]. The number of frames may differ.
        """

    # Reading

    def adapt(self, examples: list[Any], model: Any) -> tuple[Data, Any]:
        labels = self.labels or Labels.of((example.label for example in examples), "class")
        return replace(self, labels=labels), replace(model, num_classes=labels.size)

    def filter_examples(self, examples: list[Any], model: Any) -> tuple[list[Any], dict[str, int]]:
        """Leave out unreadable clips.

        Raises:
            ZooError: a class is not among the labels, or no example is readable.
        """
        for example in examples:
            self.labels.class_of(example)
        return keep_readable(examples, lambda e: self.read_example(e, model), "unreadable")

    # Training

    def batches(self, examples: list[Any], model: Any, network: Any, epoch: Epoch) -> Batches:
        """Return batches of augmented frames, as `collate` returns them, and `label` int32 [batch]."""
        labels = np.array([self.labels.class_of(example) for example in examples], np.int32)
        lengths = [int(self.sort_key(example)) for example in examples]

        def generate():
            generator = epoch.generator()
            for rows in shuffled_windows(lengths, epoch.batch_size, generator):
                clips = [self.read_example(examples[i], model)[self.frames] for i in rows]
                x = self.collate([{self.frames: self.augment(c, generator)} for c in clips])
                x[self.frames] = pad_to_multiple(x[self.frames], FRAME_BUCKET)
                yield x, {"label": labels[rows]}, np.array([examples[i].id for i in rows])

        x = {
            self.frames: ((None, None, *self.frame_shape), "float32"),
            "lengths": ((None,), "int32"),
        }
        steps = -(-len(examples) // epoch.batch_size)
        return Batches(generate, (x, {"label": ((None,), "int32")}), steps)

    # Use

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        frames, lengths = pad([item[self.frames] for item in items])
        return {self.frames: frames, "lengths": lengths}

    def input_metadata(self, item: Item) -> dict[str, Any]:
        """Return `seconds`, the duration of the clip."""
        return {"seconds": round(float(item["times"][-1] - item["times"][0]), 3)}

    # Export

    def raw_inputs(self, model: Any, decoder: Any) -> dict[str, RawInput]:
        """Return `serving_default`, whose inputs are those of the model."""
        return {"serving_default": sequence_input(self.frames, self.frame_shape, "frames")}

    def export_metadata(self, model: Any) -> dict[str, Any]:
        """Return the classes and the number of frames per second."""
        return self.labels.export_metadata() | {"frame_rate": self.frame_rate}
