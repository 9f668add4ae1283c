"""A task: what a batch is, the loss, the metrics, the decoder and the export signatures.

Training, evaluation, presets and export know a task only through this interface.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.common.errors import ZooError

if TYPE_CHECKING:
    import keras
    import numpy as np
    import tensorflow as tf

    from zoo.common.recipe import ModelConfig, Recipe


@dataclass(frozen=True)
class Source:
    """Where examples come from: a corpus folder or the user's own manifest, one of the two."""

    folder: Path | None = None
    manifest: Path | None = None

    def __str__(self) -> str:
        return str(self.manifest or self.folder)


@dataclass(frozen=True)
class Evaluation:
    """What came of a model on a split.

    metrics: rates as fractions, under the zoo's fixed metric names.
    examples, seconds: how many were evaluated, and the wall time that took.
    report: lines for a person to read.
    """

    metrics: dict[str, float]
    examples: int
    seconds: float
    report: list[str] = field(default_factory=list)


class Graphs(dict[str, Callable[..., dict[str, "np.ndarray"]]]):
    """The graphs of a preset (see `Task.graphs`), each a function of named arrays to named arrays.

    backend: str. The runtime they run in.
    """

    def __init__(self, backend: str, functions: dict[str, Callable[..., dict[str, np.ndarray]]]):
        super().__init__(functions)
        self.backend = backend


@dataclass(frozen=True)
class Signature:
    """One way into a SavedModel.

    function: of tensors named as in `spec`, to a dict of named tensors.
    spec: the specification of each argument, with the input's name.
    resources: what the function needs beside the model's weights, such as a lookup table.
    """

    function: Callable[..., dict[str, Any]]
    spec: Sequence[tf.TensorSpec]
    resources: Sequence[Any] = ()


class Task(ABC):
    """Subclasses are frozen dataclasses that hold what is fixed for a trained model."""

    # Fields that `zoo predict` takes as options, such as a decoder's: `--beam-width 8`.
    options: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def metric(self) -> str:
        """The metric a run is steered by on its dev examples; lower is better."""

    # Data

    @abstractmethod
    def read(self, corpus: str, source: Source, split: str) -> list:
        """The examples of a split, in the corpus's own order. Raises `ZooError`."""

    @abstractmethod
    def cut_dev(self, examples: list, fraction: float, seed: int) -> tuple[list, list]:
        """(train, dev), cut so that dev tells of what the model has not met."""

    def count(self, examples: list) -> int:
        """How many examples there are, as records and figures count them."""
        return len(examples)

    @abstractmethod
    def checksum(self, examples: list) -> str:
        """A digest of the data, which a run records."""

    @abstractmethod
    def fit(self, examples: list, model: ModelConfig) -> tuple[Task, ModelConfig]:
        """Task and model with what they take from a run's examples, dev included, such as a
        vocabulary; what the task has already, it keeps."""

    @abstractmethod
    def usable(self, examples: list, model: ModelConfig) -> tuple[list, dict[str, int]]:
        """The examples that can be learnt from, and how many were left out for which reason."""

    # Learning

    @abstractmethod
    def learner(self, model: keras.Model) -> keras.Model:
        """The part of `model` that training runs, from the x of a training batch to its outputs."""

    @abstractmethod
    def batches(
        self, model: keras.Model, recipe: Recipe, examples: list, epoch: int
    ) -> tf.data.Dataset:
        """Training batches (x, y, ids) of one epoch, the same ones for the same recipe and epoch."""

    @abstractmethod
    def steps(self, recipe: Recipe, examples: list) -> int:
        """About how many batches an epoch has; what the learning rate's schedule counts by."""

    @abstractmethod
    def loss(self, y: Any, outputs: Any) -> tf.Tensor:
        """The loss [batch] of a batch."""

    # Use

    @abstractmethod
    def evaluate(self, model: keras.Model, recipe: Recipe, examples: list) -> Evaluation:
        """The task's metrics over examples."""

    @abstractmethod
    def predict(
        self, graphs: Graphs, recipe: Recipe, inputs: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """One answer an input: `{"input", "output", ...}`, or `{"input", "error"}` for a bad one.

        What surrounds the graphs, here, needs no TensorFlow: it is the same for every runtime.
        """

    def score(
        self, graphs: Graphs, recipe: Recipe, inputs: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """The log-probability of each input as the model sees it, token by token.

        Raises `ZooError` where a task has no such thing.
        """
        raise ZooError(f"{recipe.name} gives no probability to texts: it has no scores.")

    # Delivery

    @abstractmethod
    def signatures(self, model: keras.Model, recipe: Recipe) -> dict[str, Signature]:
        """The entries of the SavedModel, raw input to answer; `serving_default` is among them."""

    @abstractmethod
    def graphs(self, model: keras.Model, recipe: Recipe) -> dict[str, keras.Model]:
        """The functional models that together are the preset in a runtime other than TensorFlow,
        with named inputs and outputs; signatures of the SavedModel too."""

    @abstractmethod
    def samples(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """Real inputs for each signature and graph, in batches of several sizes and lengths; exports are
        compared on them."""

    @abstractmethod
    def assets(self) -> dict[str, str]:
        """Files (name to text) a preset keeps beside recipe.json, such as an alphabet."""

    @abstractmethod
    def with_assets(self, folder: Path) -> Task:
        """This task with the assets read back from a preset's folder. Raises `ZooError`."""
