"""The task part of a recipe: loss, metrics, and the step from outputs to predictions.

Training, evaluation, presets and export use a task only through this interface. Optional abilities of a
task are the base classes in `zoo.common.core.capabilities`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any, ClassVar

from zoo.common.core.capabilities import RawInputs, SegmentAnswers, SegmentedInputs
from zoo.common.core.data import Item
from zoo.common.core.errors import ExportError, ZooError, check_choice
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.predictor import Predictor


@dataclass(frozen=True)
class Signature:
    """A signature of a SavedModel.

    Args:
        function: maps tensors named as in `spec` to a dict of named tensors.
        spec: the named `tf.TensorSpec` of each argument.
        resources: objects that the function uses besides the model's weights, such as a lookup table.
    """

    function: Callable[..., dict[str, Any]]
    spec: Sequence[Any]
    resources: Sequence[Any] = ()


@dataclass(frozen=True)
class Task(ABC):
    """Base class of tasks. Subclasses are frozen dataclasses that give `monitor` a default.

    Args:
        monitor: metric on dev that chooses the best epoch and ends a training: one of `monitors`.
    """

    # The verb in the names of signatures, such as "transcribe" in "transcribe_wav".
    verb: ClassVar[str] = "predict"
    # Packages that compute the metrics: part of the extra `evaluate`, by their import names.
    packages: ClassVar[tuple[str, ...]] = ()
    # Valid values of `monitor`: names of `zoo.common.core.metrics`.
    monitors: ClassVar[tuple[str, ...]]

    monitor: str

    def __post_init__(self):
        check_choice("task.monitor", self.monitor, self.monitors)

    # Training

    @abstractmethod
    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """Return the loss of a batch, float32 [batch], computed with `keras.ops`."""

    # Use. The graphs may belong to any runtime; all other computation is done in NumPy.

    def check_predictor(self, predictor: Predictor[Any, Any, Any]) -> None:  # noqa: B027
        """Check that the decoder is usable before the first input is answered.

        Raises:
            ZooError: one of its files is missing or invalid, or options contradict each other.
        """

    @abstractmethod
    def evaluate(self, predictor: Predictor[Any, Any, Any], examples: list[Any]) -> Evaluation:
        """Return the metrics of the predictor's answers to examples."""

    @abstractmethod
    def answer(self, predictor: Predictor[Any, Any, Any], item: Item) -> dict[str, Any]:
        """Return the answer to one input as `{"output": ..., ...}`, JSON-ready.

        Args:
            predictor: the trained model.
            item: result of `Data.read_input`.

        Raises:
            ZooError: the input has no answer.
        """

    def predict(
        self, predictor: Predictor[Any, Any, Any], inputs: Sequence[Any]
    ) -> Iterator[dict[str, Any]]:
        """Yield one answer per input: `{"input", "output", ...}`, or `{"input", "error"}`.

        Raises:
            ZooError: as `check_predictor`.
            ExportError: the graphs cannot answer any input.
        """
        self.check_predictor(predictor)
        return self._predict(predictor, inputs)

    def _predict(
        self, predictor: Predictor[Any, Any, Any], inputs: Sequence[Any]
    ) -> Iterator[dict[str, Any]]:
        for source in inputs:
            try:
                answer = self._answer_source(predictor, source)
            except ExportError:
                raise
            except ZooError as error:
                answer = {"error": str(error)}
            yield {"input": input_name(source), **answer}

    def _answer_source(self, predictor: Predictor[Any, Any, Any], source: Any) -> dict[str, Any]:
        data = predictor.data
        if isinstance(data, SegmentedInputs) and isinstance(self, SegmentAnswers):
            long_input = data.segments(source, predictor.model)
            if long_input is not None:
                answer = self.answer_segments(predictor, long_input.segments)
                return answer | long_input.metadata()
        item = data.read_input(source, predictor.model)
        return self.answer(predictor, item) | data.input_metadata(item)

    # Export

    def export_metadata(self, predictor: Predictor[Any, Any, Any]) -> dict[str, Any]:
        """Return the `Data.export_metadata`, and what the outputs mean where the data does not say."""
        return predictor.data.export_metadata(predictor.model)

    def answer_in_graph(
        self, predictor: Predictor[Any, Any, Any]
    ) -> Callable[[dict[str, Any]], dict[str, Any]]:
        """Return a TensorFlow function from model inputs to the answer of a SavedModel.

        Args:
            predictor: its graphs are functional Keras models.
        """
        raise NotImplementedError(f"{type(self).__name__} has no answer inside a graph")

    def signatures(self, predictor: Predictor[Any, Any, Any]) -> dict[str, Signature]:
        """Return the signatures of the SavedModel, from raw input to answer.

        Args:
            predictor: its graphs are functional Keras models.

        Returns:
            Signatures by name; `serving_default` is one of them.
        """
        if not isinstance(predictor.data, RawInputs):
            return {}
        answer = self.answer_in_graph(predictor)

        def function(entry):
            def call(*raw):
                inputs = entry.to_inputs(*checked_batch(raw))
                return answer(inputs) | entry.metadata(inputs)

            return call

        return {
            name: Signature(function(entry), entry.spec, entry.resources)
            for name, entry in predictor.data.raw_inputs(predictor.model, predictor.decoder).items()
        }


def input_name(source: Any) -> str:
    """Return the name of an input in its answer: a path or text itself, else the type of the object."""
    if isinstance(source, str | PurePath):
        return str(source)
    return f"<{type(source).__name__}>"


def checked_batch(raw: Sequence[Any]) -> list[Any]:
    """Return the tensors of a request, each [batch, ...], after checks inside a graph.

    An empty batch, tensors with different numbers of rows, and NaN or infinite values are errors of the
    graph.

    Args:
        raw: the tensors.
    """
    import tensorflow as tf

    rows = tf.stack([tf.shape(tensor)[0] for tensor in raw])
    checks = [
        tf.debugging.Assert(rows[0] > 0, ["The batch must have at least one row."]),
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
