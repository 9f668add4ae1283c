"""The data part of a recipe: reading, filtering, model inputs and targets, batching.

A data kind does not depend on losses, metrics or decoders; a task does not depend on files. Optional
abilities of a data kind are the base classes in `zoo.common.core.capabilities`.
"""

from __future__ import annotations

import dataclasses
import hashlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.model import ModelConfig
from zoo.common.core.settings import options_of

# x, y and the ids of the examples: the input of a training step.
Batch = tuple[dict[str, Any], dict[str, Any], np.ndarray]
# One example as model input: named arrays without a batch axis, and what its answer needs.
Item = dict[str, Any]


@dataclass(frozen=True)
class Epoch:
    """State how the batches of one epoch are made.

    Args:
        number: number of the epoch, from 0.
        batch_size: number of examples in a batch.
        seed: seed of the run.
    """

    number: int
    batch_size: int
    seed: int

    def generator(self) -> np.random.Generator:
        """Return the random generator of this epoch: the same one for each call."""
        return np.random.default_rng((self.seed, self.number))


@dataclass(frozen=True)
class Batches:
    """The batches of one epoch. Each iteration yields the same ones.

    Args:
        generate: returns an iterator over (x, y, ids): dicts of arrays [batch, ...], and an array of str
            [batch] that identifies the examples in error messages.
        spec: (x, y), each a dict from the name of an array to (shape, dtype); None for an axis whose
            size varies between batches.
        steps: number of batches, which may be an estimate. The learning rate schedule uses it.
    """

    generate: Callable[[], Iterator[Batch]]
    spec: tuple[dict[str, tuple], dict[str, tuple]]
    steps: int

    def __iter__(self) -> Iterator[Batch]:
        return self.generate()


@dataclass(frozen=True)
class Data(ABC):
    """Base class of data kinds. Subclasses are frozen dataclasses with the state of a trained model.

    Fields made by `zoo.common.core.settings.asset`, such as a vocabulary, are stored in files of their
    own. Methods take the config of the recipe's model where they need, for example, its sample rate;
    a data kind reads no other part of a recipe.
    """

    # Whether each row of a batch continues the same row of the batch before. x then has
    # `reset_states` bool [batch], True where a row starts a new sequence, and the trainer carries the
    # states of the model.
    carries_states: ClassVar[bool] = False
    # An input, for usage examples.
    input_example: ClassVar[str] = "FILE"
    # Whether arrays of numbers are inputs, besides files or texts.
    accepts_arrays: ClassVar[bool] = False
    # The unit that records count for training, and the one for evaluation.
    counted: ClassVar[tuple[str, str]] = ("examples", "examples")
    # Names of the axes after the batch, for inputs and outputs whose free axis is not time.
    free_axes: ClassVar[Mapping[str, tuple[str, ...]]] = {}

    # Reading

    @property
    def options(self) -> dict[str, dataclasses.Field]:
        """The fields that state how users' files are read, by name. They are made by `option`."""
        return options_of(self)

    @abstractmethod
    def read_manifest(self, path: Path) -> list[Any]:
        """Return the examples of a user's file, in its order.

        If the file has splits, each example has the attribute `split`.

        Raises:
            ZooError: the file is missing or invalid.
        """

    def group_of(self, example: Any) -> Hashable:
        """Return the group of an example. The dev split takes whole groups, such as speakers."""
        return example.id

    @abstractmethod
    def checksum(self, examples: list[Any]) -> str:
        """Return a digest of the examples, which a run records."""

    def example_digest(self, example: Any) -> str:
        """Return a short digest of an example, equal if a later list has the same example."""
        return hashlib.sha256(self.checksum([example]).encode()).hexdigest()[:16]

    def vocabulary_examples(self, train: list[Any], dev: list[Any]) -> list[Any]:
        """Return the examples of a run from which `adapt` takes its assets: all."""
        return [*train, *dev]

    def adapt(self, examples: list[Any], model: ModelConfig) -> tuple[Data, ModelConfig]:
        """Return data and model config with what they take from a run's examples, dev included.

        A vocabulary is an example. Assets that are not empty stay as they are.
        """
        return self, model

    @abstractmethod
    def filter_examples(self, examples: list[Any], model: Any) -> tuple[list[Any], dict[str, int]]:
        """Return the usable examples, and the number of examples left out by reason.

        Args:
            examples: the examples of a split.
            model: config of the model.

        Raises:
            ZooError: no example is usable.
        """

    # Training

    @abstractmethod
    def batches(self, examples: list[Any], model: Any, network: Any, epoch: Epoch) -> Batches:
        """Return the training batches of an epoch, the same ones for the same `epoch`.

        Args:
            examples: the usable examples.
            model: config of the model.
            network: the built model, whose fixed layers may compute features.
            epoch: number of the epoch, batch size and seed.
        """

    # Use

    @abstractmethod
    def read_input(self, source: Any, model: Any) -> Item:
        """Return a user's input as model input.

        Args:
            source: a path or text, or an object that the data kind documents, such as an array.
            model: config of the model.

        Raises:
            ZooError: the input cannot be read or is invalid.
        """

    def accepts_text(self, text: str) -> bool:
        """Return whether a text is an input itself, and not the path of a file."""
        return False

    def read_example(self, example: Any, model: Any) -> Item:
        """Return an example of a split as model input.

        Raises:
            ZooError: the example cannot be read.
        """
        raise NotImplementedError(f"{type(self).__name__} is not evaluated example by example")

    def sort_key(self, example: Any) -> float:
        """Return the length by which examples are sorted for evaluation, to reduce padding."""
        return 0

    def collate(self, items: Sequence[Item]) -> dict[str, np.ndarray]:
        """Return items as one batch of model inputs, padded where necessary, with explicit lengths."""
        return {name: np.stack([item[name] for item in items]) for name in items[0]}

    def input_metadata(self, item: Item) -> dict[str, Any]:
        """Return JSON-ready properties of an input that its answer includes, such as `seconds`."""
        return {}

    # Export

    @abstractmethod
    def example_inputs(self, model: Any, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return real inputs of each signature and graph, in batches of several sizes and lengths.

        Exports are compared with the Keras model on them.
        """

    def export_metadata(self, model: Any) -> dict[str, Any]:
        """Return what a program without the zoo needs to make inputs and read outputs, JSON-ready.

        Labels are an example. The metadata is part of `signature.json` of an export.
        """
        return {}
