"""A task: what is learnt, and how it is judged. Loss, metrics, outputs to predictions.

Training, evaluation, presets and export know a task only through this interface.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from zoo.common.core.data import Item, Segment
from zoo.common.core.errors import ExportError, ZooError
from zoo.common.core.formats import Format
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe


@dataclass(frozen=True)
class Evaluation:
    """The figures of a model on a split.

    metrics: rates as fractions, under the zoo's fixed metric names; the first steers a training.
    num_examples, seconds: how many were evaluated, and the wall time that took.
    report: lines for a person to read.
    rows: one JSON-ready dict an example: its id, what was wanted, what was answered, its figures.
    """

    metrics: dict[str, float]
    num_examples: int
    seconds: float
    report: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Signature:
    """One way into a SavedModel.

    function: of tensors named as in `spec`, to a dict of named tensors.
    spec: the `tf.TensorSpec` of each argument, with the input's name.
    resources: what the function needs beside the model's weights, such as a lookup table.
    """

    function: Callable[..., dict[str, Any]]
    spec: Sequence[Any]
    resources: Sequence[Any] = ()


class Task(ABC):
    """Subclasses are frozen dataclasses."""

    # What it does to an input, in the name of a signature: "transcribe_wav".
    verb: ClassVar[str] = "predict"
    # What its metrics are computed by: packages of the extra `evaluate`, as they are imported.
    packages: ClassVar[tuple[str, ...]] = ()

    @property
    @abstractmethod
    def metric(self) -> str:
        """The metric a run is steered by on its dev examples: a name of `zoo.common.core.metrics`."""

    # Learning

    @abstractmethod
    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """The loss float32 [batch] of a batch, by operations of `keras.ops`."""

    def calibrate(self, recipe: Recipe, examples: list[Any], folder: Path) -> None:  # noqa: B027
        """Write what a trained run keeps beside its model and measures on its dev examples, such as the
        size of its errors, into the run folder."""

    # Use. The graphs may be of any runtime: what stands around them is NumPy.

    @abstractmethod
    def evaluate(self, graphs: Graphs, recipe: Recipe, examples: list[Any]) -> Evaluation:
        """The task's metrics over examples, by the recipe's decoder."""

    @abstractmethod
    def answer(self, graphs: Graphs, recipe: Recipe, item: Item) -> dict[str, Any]:
        """The answer to one input, as `Data.read_input` gave it: `{"output": ..., ...}`, JSON-ready.

        `output` is what a person reads. Raises `ZooError`.
        """

    def answer_segments(
        self, graphs: Graphs, recipe: Recipe, segments: Iterator[Segment]
    ) -> dict[str, Any]:
        """The answer to a long input, as `Data.segments` reads it: `{"output": ..., ...}`.

        Only a task whose data has such inputs has it.
        """
        raise NotImplementedError(f"{type(self).__name__} answers no input piece by piece")

    def formats(self, recipe: Recipe) -> dict[str, Format]:
        """What files answers can be written to, by the name of the format."""
        return recipe.data.formats(recipe)

    def predict(
        self, graphs: Graphs, recipe: Recipe, inputs: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """One answer an input: `{"input", "output", ...}`, or `{"input", "error"}` for a bad one.

        Raises `ExportError` where the graphs can answer none.
        """
        for source in inputs:
            try:
                answer = self._answer_input(graphs, recipe, source)
            except ExportError:
                raise
            except ZooError as error:
                answer = {"error": str(error)}
            yield {"input": source, **answer}

    def _answer_input(self, graphs: Graphs, recipe: Recipe, source: str) -> dict[str, Any]:
        """The answer to an input of any length, and facts about the input."""
        segments = recipe.data.segments(source, recipe)
        if segments is not None:
            answer = self.answer_segments(graphs, recipe, segments.pieces)
            return answer | segments.about()
        item = recipe.data.read_input(source, recipe)
        return self.answer(graphs, recipe, item) | recipe.data.about_input(item, recipe)

    def score(
        self, graphs: Graphs, recipe: Recipe, inputs: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """The log-probability of each input as the model sees it, token by token.

        Raises `ZooError` where a task has no such thing.
        """
        raise ZooError(f"{recipe.name} gives no probability to texts: it has no scores.")

    def retrieve(self, graphs: Graphs, recipe: Recipe, examples: list[Any]) -> Evaluation:
        """Recall of each example's text among the texts of all, and of its input among all inputs, by
        the probability of texts. Raises `ZooError` where a task has no such thing."""
        raise ZooError(f"{recipe.name} ranks no texts and inputs: there is no retrieval by it.")

    def plot(self, recipe: Recipe, evaluation: Evaluation, folder: Path) -> list[Path]:
        """Draw an evaluation as PNG files in a folder that is there, and return their paths."""
        return []

    def write_gallery(
        self, presets: Sequence[tuple[str, Recipe, Graphs]], examples: list[Any], folder: Path
    ) -> Path:
        """Write a page of examples with the answers of presets, each of a name, a recipe and its graphs,
        into an empty folder, and return the page's path. Raises `ZooError`."""
        raise ZooError(f"There is no gallery of {presets[0][0]}.")

    # Delivery

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Data.facts`; here also what the outputs mean, where the data does not tell."""
        return recipe.data.facts(recipe)

    def answer_in_graph(
        self, model: Any, recipe: Recipe
    ) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """A TensorFlow function of the model's inputs to what a SavedModel answers."""
        raise NotImplementedError(f"{type(self).__name__} answers in no graph")

    def signatures(self, model: Any, recipe: Recipe) -> dict[str, Signature]:
        """The entries of the SavedModel, raw input to answer; `serving_default` is among them."""
        answer = self.answer_in_graph(model, recipe)

        def function(entry):
            return lambda *raw: answer(entry.to_inputs(*checked_batch(raw)))

        return {
            name: Signature(function(entry), entry.spec, entry.resources)
            for name, entry in recipe.data.raw_inputs(recipe).items()
        }


def checked_batch(raw: Sequence[Any]) -> list[Any]:
    """Return the tensors of a request, each [batch, ...], behind checks, inside a graph.

    An empty batch, tensors of different numbers of rows, and what is no finite number are errors of the
    graph.
    """
    import tensorflow as tf

    rows = tf.stack([tf.shape(tensor)[0] for tensor in raw])
    checks = [
        tf.debugging.Assert(rows[0] > 0, ["The batch must have a row or more."]),
        tf.debugging.Assert(
            tf.reduce_all(rows == rows[0]),
            ["The inputs must have the same number of rows. Received:", rows],
        ),
    ]
    for tensor in raw:
        if tensor.dtype.is_floating:
            is_finite = tf.reduce_all(tf.math.is_finite(tensor))
            checks.append(tf.debugging.Assert(is_finite, ["The inputs must be finite numbers."]))
    with tf.control_dependencies(checks):
        return [tf.identity(tensor) for tensor in raw]
