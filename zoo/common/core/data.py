"""Data: what an example is. Reading, splitting, filtering, model inputs and targets, batching.

A data kind knows nothing of losses, metrics or decoders; a task knows nothing of files.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.formats import Format
from zoo.common.core.model import Graphs, ModelConfig
from zoo.common.core.recipe import Recipe

# x, y and the ids of the examples: what a training step reads.
Batch = tuple[dict[str, Any], dict[str, Any], np.ndarray]
# One example as a model takes it: named arrays without a batch axis.
Item = dict[str, Any]


@dataclass(frozen=True)
class Batches:
    """The batches of one epoch: the same ones each time they are iterated over.

    generate: gives an iterator of (x, y, ids): dicts of NumPy arrays [batch, ...], and ids, an array of
        str [batch], what an error calls the examples by.
    spec: (x, y), each a dict of the name of an array to (shape, dtype), None for an axis whose size
        varies between batches.
    """

    generate: Callable[[], Iterator[Batch]]
    spec: tuple[dict[str, tuple], dict[str, tuple]]

    def __iter__(self) -> Iterator[Batch]:
        return self.generate()


@dataclass(frozen=True)
class Segment:
    """A piece of a long input: from `begin` to `end`, in seconds, and the item it makes."""

    begin: float
    end: float
    item: Item


@dataclass(frozen=True)
class Segments:
    """A long input, read piece by piece.

    pieces: gives the pieces that hold something, in order; they may overlap. about: facts as those of
        `Data.about_input`, known when all pieces are read.
    """

    pieces: Iterator[Segment]
    about: Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class RawInput:
    """A way into a SavedModel: what a client sends, as a graph.

    spec: the `tf.TensorSpec` of each tensor a client sends, with its name.
    to_inputs: of those tensors, in order, to the dict of the model's inputs.
    resources: what `to_inputs` needs, such as a lookup table.
    """

    spec: Sequence[Any]
    to_inputs: Callable[..., dict[str, Any]]
    resources: Sequence[Any] = ()


class Data(ABC):
    """Subclasses are frozen dataclasses that hold what is fixed for a trained model.

    Fields made by `zoo.common.core.recipe.asset`, such as a vocabulary, stand in files of their own in
    a preset.
    """

    # Whether a training batch goes on where the one before ended: then x has `reset_states` bool
    # [batch], true where a row begins anew, and the trainer carries the model's states.
    carries_states: ClassVar[bool] = False
    # What a user's input looks like, for an example of use.
    input_example: ClassVar[str] = "FILE"
    # What is counted where the data is learnt from, and where it is measured.
    counted: ClassVar[tuple[str, str]] = ("examples", "examples")
    # What the axes after the batch are called, of inputs and outputs whose free one is not time.
    free_axes: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    # Reading. A corpus reads itself (`Corpus.read`); what comes of both is of one kind.

    @abstractmethod
    def read_manifest(self, path: Path) -> list[Any]:
        """The examples of the user's own file, in its order. Raises `ZooError`.

        Where they have splits, each example tells its own by the attribute `split`.
        """

    def prepare(self, examples: list[Any]) -> list[Any]:
        """A corpus's examples as this data kind takes them, such as cut into tokens."""
        return examples

    @abstractmethod
    def split_dev(
        self, examples: list[Any], fraction: float, seed: int
    ) -> tuple[list[Any], list[Any]]:
        """(train, dev), split so that dev is of what the model has not met."""

    def num_examples(self, examples: list[Any]) -> int:
        """How many examples there are, as records and figures count them."""
        return len(examples)

    def num_windows(self, examples: list[Any], recipe: Recipe) -> int:
        """How many windows of examples training divides into batches: where an example is trained on
        as a whole, how many examples."""
        return len(examples)

    def take_windows(self, examples: list[Any], count: int, recipe: Recipe) -> list[Any]:
        """The first examples, with `count` windows of them, or as many as there are."""
        return examples[:count]

    @abstractmethod
    def checksum(self, examples: list[Any]) -> str:
        """A digest of the data, which a run records."""

    def adapt(self, examples: list[Any], model: ModelConfig) -> tuple[Data, ModelConfig]:
        """Data and model with what they take from a run's examples, dev included, such as a
        vocabulary; what the data has already, it keeps."""
        return self, model

    @abstractmethod
    def filter_examples(
        self, examples: list[Any], recipe: Recipe
    ) -> tuple[list[Any], dict[str, int]]:
        """The examples that can be learnt from, and how many were left out for which reason.

        Raises `ZooError` if none is left.
        """

    # Learning

    @abstractmethod
    def batches(self, model: Any, recipe: Recipe, examples: list[Any], epoch: int) -> Batches:
        """The training batches of an epoch, the same ones for the same recipe and epoch."""

    @abstractmethod
    def steps_per_epoch(self, recipe: Recipe, examples: list[Any]) -> int:
        """About how many batches an epoch has; what the learning rate's schedule counts by."""

    # Use

    @abstractmethod
    def read_input(self, source: str, recipe: Recipe) -> Item:
        """A user's input, such as the path of a file, as the model takes it. Raises `ZooError`."""

    def find_inputs(self, source: str) -> list[str]:
        """The inputs that a user means: of a folder its files, where the data is in files."""
        return [source]

    def segments(self, source: str, recipe: Recipe) -> Segments | None:
        """A user's input piece by piece, where it is longer than the model takes at once; else None.

        Raises `ZooError`, and so do its pieces while they are read.
        """
        return None

    def read_example(self, example: Any, recipe: Recipe) -> Item:
        """An example of a split as the model takes it. Raises `ZooError`."""
        raise NotImplementedError(f"{type(self).__name__} is not measured example by example")

    def length(self, example: Any) -> float:
        """What examples are sorted by where they are measured, so that batches have little padding."""
        return 0

    def stream(self, graphs: Graphs, recipe: Recipe, **how: Any) -> Any:
        """What takes an input part by part while it is made. Raises `ZooError` if there is none."""
        raise ZooError(f"{recipe.name} cannot stream: its input comes as a whole.")

    def about_input(self, item: Item, recipe: Recipe) -> dict[str, Any]:
        """Facts about an input that stand in its answer, JSON-ready, such as its length in seconds."""
        return {}

    def formats(self, recipe: Recipe) -> dict[str, Format]:
        """What files answers can be written to, by the name of the format."""
        return {}

    def plot(self, graphs: Graphs, recipe: Recipe, source: str, path: Path) -> None:
        """Draw a user's input with what a model hears or sees in it, as a PNG. Raises `ZooError`."""
        raise ZooError(f"There is no picture of an input for {recipe.name}.")

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """Items as one batch of the model's inputs, padded where need be, with explicit lengths."""
        return {name: np.stack([item[name] for item in items]) for name in items[0]}

    # Delivery

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """What a SavedModel takes, by the name of its signature; `serving_default` is among them."""
        return {}

    @abstractmethod
    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """Real inputs for each signature and graph, in batches of several sizes and lengths; exports
        are compared on them."""

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """What a program without the zoo must know to make inputs and to read outputs, JSON-ready, such
        as labels: it goes into `signature.json` of an export."""
        return {}

    def assets(self) -> dict[str, str]:
        """Files (name to text) a preset keeps beside recipe.json, such as an alphabet."""
        return {}

    def with_assets(self, folder: Path) -> Data:
        """This data with the assets read back from a preset's folder. Raises `ZooError`."""
        return self
