"""Optional abilities of data kinds and tasks. A verb checks `isinstance` before it uses one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zoo.common.core.data import Data, Item
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.formats import Format
from zoo.common.core.predictor import Predictor


@dataclass(frozen=True)
class Segment:
    """A part of a long input.

    Args:
        begin: begin in seconds.
        end: end in seconds.
        item: the model input of this part.
    """

    begin: float
    end: float
    item: Item


@dataclass(frozen=True)
class Segments:
    """A long input as a sequence of segments.

    Args:
        segments: yields the segments that are not empty, in order; they may overlap.
        metadata: returns the `Data.input_metadata` of the input after all segments were read.
    """

    segments: Iterator[Segment]
    metadata: Callable[[], dict[str, Any]]


@dataclass(frozen=True)
class RawInput:
    """A signature's conversion of a client's tensors to model inputs, as a TensorFlow graph.

    Args:
        spec: the named `tf.TensorSpec` of each tensor that a client sends.
        to_inputs: maps those tensors, in order, to the dict of model inputs.
        resources: objects that `to_inputs` uses, such as a lookup table.
        metadata: maps the model inputs to outputs about the input, such as the number of unknown words.
    """

    spec: Sequence[Any]
    to_inputs: Callable[..., dict[str, Any]]
    resources: Sequence[Any] = ()
    metadata: Callable[[dict[str, Any]], dict[str, Any]] = lambda inputs: {}


# Of data kinds


class FileInputs(ABC):
    """Data whose inputs are files, so that a folder stands for the files in it, or lines of files."""

    @abstractmethod
    def find_inputs(self, source: str) -> list[str]:
        """Return the inputs of a path: the files of a folder, the lines of a file, or the path itself.

        Raises:
            ZooError: the folder has no such file, or the file of lines cannot be read.
        """


class SegmentedInputs(ABC):
    """Data whose inputs may be longer than the model takes at once."""

    @abstractmethod
    def segments(self, source: Any, model: Any) -> Segments | None:
        """Return a long input as segments; None if the model takes it as a whole.

        Raises:
            ZooError: the input cannot be read. Iteration may raise it too.
        """


class WindowedExamples(ABC):
    """Data that is trained on windows of long examples."""

    @abstractmethod
    def num_examples(self, examples: list[Any]) -> int:
        """Return the size of examples as records and figures count it, such as tokens."""

    @abstractmethod
    def num_windows(self, examples: list[Any], model: Any) -> int:
        """Return the number of windows that training divides into batches."""

    @abstractmethod
    def take_windows(self, examples: list[Any], count: int, model: Any) -> list[Any]:
        """Return the first examples, cut to `count` windows, or to as many as exist."""


class SuitedSettings(ABC):
    """Data that chooses settings by the amount of a user's own examples."""

    @abstractmethod
    def suited_settings(self, examples: list[Any], model: Any) -> dict[str, Any]:
        """Return settings by dotted key that suit training on examples; none for those of the recipe."""


class PreparedExamples(ABC):
    """Data that converts the examples of a corpus, for example into tokens."""

    @abstractmethod
    def prepare(self, examples: list[Any]) -> list[Any]:
        """Return a corpus's examples in the form of this data kind."""


class CustomSplit(ABC):
    """Data with a dev split of its own, where whole groups are not enough."""

    @abstractmethod
    def split_dev(
        self, examples: list[Any], fraction: float, seed: int
    ) -> tuple[list[Any], list[Any]]:
        """Return (train, dev), such that dev is unlike what the model was trained on."""


class OutputFormats(ABC):
    """Data whose answers can be written in formats of the field, such as subtitles."""

    @abstractmethod
    def formats(self, task: Any, model: Any, decoder: Any) -> dict[str, Format]:
        """Return the formats by name."""


class InputPlots(ABC):
    """Data whose inputs can be drawn together with the model's answer."""

    @abstractmethod
    def plot_input(
        self, predictor: Predictor[Any, Any, Any], task: Any, source: Any, path: Path
    ) -> None:
        """Draw a user's input and its answer as a PNG file.

        Raises:
            ZooError: the input cannot be read, or the model has nothing to draw.
        """


class RawInputs(ABC):
    """Data with raw inputs for SavedModel signatures, such as the bytes of a file."""

    @abstractmethod
    def raw_inputs(self, model: Any, decoder: Any) -> dict[str, RawInput]:
        """Return the raw input of each signature by its name; `serving_default` is one of them."""


class Streaming(ABC):
    """Data whose inputs can be answered while they arrive."""

    @abstractmethod
    def check_stream(self, name: str, model: Any) -> None:
        """Check that the model can stream. No model is loaded.

        Raises:
            ZooError: it needs the whole input. The message lists recipes that can stream.
        """

    @abstractmethod
    def open_stream(
        self,
        predictor: Predictor[Any, Any, Any],
        task: Any,
        source: Any = None,
        sample_rate: int | None = None,
    ) -> Any:
        """Return a stream, which accepts an input block by block. Iterated, it yields events.

        Args:
            predictor: the trained model.
            task: the task of the recipe.
            source: the input whose events are iterated; None if blocks are passed to the stream.
            sample_rate: sample rate of the blocks in Hz; None for that of the model.

        Raises:
            ZooError: as `check_stream`.
        """


# Of tasks


class SegmentAnswers(ABC):
    """A task that answers long inputs from the answers to their segments."""

    @abstractmethod
    def answer_segments(
        self, predictor: Predictor[Any, Any, Any], segments: Iterator[Segment]
    ) -> dict[str, Any]:
        """Return the answer to a long input: `{"output": ..., ...}`, JSON-ready."""


class GradualAnswers(ABC):
    """A task whose answer is generated token by token."""

    @abstractmethod
    def iter_answer(
        self, predictor: Predictor[Any, Any, Any], item: Item
    ) -> Iterator[dict[str, Any]]:
        """Yield `{"token", "probability", "text"}` of each token, and then the result of `Task.answer`.

        `text` is what the token adds to the output.
        """


class Scoring(ABC):
    """A task that computes the log-probability of texts."""

    @abstractmethod
    def score(
        self, predictor: Predictor[Any, Any, Any], inputs: Sequence[str]
    ) -> Iterator[dict[str, Any]]:
        """Yield the log-probability of each input in nats, token by token."""


class RowMetrics(ABC):
    """A task whose metrics can be computed from any rows of an evaluation."""

    @abstractmethod
    def row_metrics(
        self, predictor: Predictor[Any, Any, Any], rows: list[dict[str, Any]]
    ) -> dict[str, float]:
        """Return the metrics by name. A metric that these rows do not define is left out."""

    def drawn_rows(self, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return the rows that are drawn for the interval of a metric."""
        return rows


class Retrieval(ABC):
    """A task that ranks inputs and texts by the probability of the texts."""

    @abstractmethod
    def retrieve(self, predictor: Predictor[Any, Any, Any], examples: list[Any]) -> Evaluation:
        """Return the recall of each example's text among all texts, and of its input among all."""


class ThresholdChoice(ABC):
    """A task whose decoder has a threshold that an evaluation can choose."""

    @abstractmethod
    def choose_threshold(
        self, predictor: Predictor[Any, Any, Any], evaluation: Evaluation, examples: list[Any]
    ) -> tuple[dict[str, float], str]:
        """Return the chosen options of the decoder, and a line that says what they are.

        Args:
            predictor: the trained model.
            evaluation: its evaluation on examples.
            examples: the examples.

        Raises:
            ZooError: the examples of the evaluation do not suffice.
        """


class EvaluationPlots(ABC):
    """A task that draws an evaluation."""

    @abstractmethod
    def plot_evaluation(
        self, predictor: Predictor[Any, Any, Any], evaluation: Evaluation, folder: Path
    ) -> list[Path]:
        """Write PNG files into an existing folder and return their paths."""


class Gallery(ABC):
    """A task whose answers can be shown on a page of examples."""

    @abstractmethod
    def write_gallery(
        self,
        presets: Sequence[tuple[str, Predictor[Any, Any, Any]]],
        examples: list[Any],
        folder: Path,
    ) -> Path:
        """Write a page of examples with the answers of named presets into an empty folder.

        Returns:
            The path of the page.

        Raises:
            ZooError: a preset has another task, or a file cannot be written.
        """


class Calibration(ABC):
    """A task that measures something on dev after a training, such as the size of errors."""

    @abstractmethod
    def calibrate(self, predictor: Predictor[Any, Any, Any], examples: list[Any]) -> Data:
        """Return the data of the predictor with the measured asset."""
