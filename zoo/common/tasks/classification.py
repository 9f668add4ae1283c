"""Classification as a task: one class for an input.

Its data has `labels` of the unit "class" (`zoo.common.data.labels.Labels`), its examples `id` and
`transcript`, the class's name; its model has the output `logits` float32 [batch, classes].
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.task import Evaluation
from zoo.common.data.batching import evaluation_batches
from zoo.common.decoding.generation import log_softmax
from zoo.common.decoding.segments import batches, count_detections, merge_detections
from zoo.common.metrics.detection import area_under_roc, precision_recall_figure, roc_figure
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.steered import SteeredTask

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from matplotlib.figure import Figure

    from zoo.common.core.data import Item, Segment
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

METRICS = ("accuracy", "f1_macro", "auc")
UNREADABLE = ""


@dataclass(frozen=True)
class Classification(SteeredTask):
    """The likeliest of several classes. The decoder is a `Classes`.

    steer_by: str. The metric that steers a run: "accuracy", or "f1_macro", the mean over classes of
        the harmonic mean of precision and recall, which a rare class counts as much in as any other;
        or, where there are two classes, "auc", the area under the ROC curve of the second one.
    background: str. The class which says that there is nothing: in a long input it is not reported.
        Empty where there is no such class.
    """

    verb: ClassVar[str] = "classify"

    steering_metrics: ClassVar[tuple[str, ...]] = METRICS

    steer_by: str = "accuracy"
    background: str = ""

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """See `Task.loss`: cross-entropy in nats."""
        from keras import ops

        logits = ops.cast(outputs["logits"], "float32")
        return ops.sparse_categorical_crossentropy(y["label"], logits, from_logits=True)

    def evaluate(self, graphs: Graphs, recipe: Recipe, examples: list[Any]) -> Evaluation:
        """See `Task.evaluate`. An example that cannot be read is counted as wrong.

        `auc` is among the metrics where there are two classes and both occur.

        Raises:
            ZooError: `auc` steers, and is not among them.
        """
        started = time.perf_counter()
        data, errors = recipe.data, {}
        answers: list[dict[str, Any]] = [{"output": UNREADABLE, "probability": 0.0}] * len(examples)
        figures: list[dict[str, float]] = [{}] * len(examples)
        for indices, inputs in evaluation_batches(recipe, examples, errors):
            outputs = graphs[MODEL](**inputs)
            more = self.batch_figures(outputs, [examples[i].transcript for i in indices], recipe)
            for i, row, figure in zip(indices, class_probabilities(outputs), more, strict=True):
                best = data.labels.symbols[int(row.argmax())]
                answers[i] = {"output": best, "probability": float(row.max())}
                figures[i] = figure
        rows = [
            {"id": example.id, "reference": example.transcript} | answer | more
            for example, answer, more in zip(examples, answers, figures, strict=True)
        ]
        pairs = [(row["reference"], row["output"]) for row in rows]
        values = class_metrics(pairs) | _means(figures)
        if curve := _scores(rows, data.labels.symbols):
            values["auc"] = area_under_roc(*curve)
        if self.metric not in values:
            occur = sorted({row["reference"] for row in rows})
            raise ZooError(
                f"The metric {self.metric!r} needs examples of both of two classes. Received: "
                f"{', '.join(map(repr, occur))} of {', '.join(map(repr, data.labels.symbols))}."
            )
        metrics = {name: values[name] for name in sorted(values, key=self._steers)}
        report = [f"{name}: {share:.4f} of {count}" for name, share, count in recalls(pairs)]
        report += [f"Not readable, counted as wrong: {error}" for error in errors.values()]
        return Evaluation(metrics, len(examples), time.perf_counter() - started, report, rows)

    def answer(self, graphs: Graphs, recipe: Recipe, item: Item) -> dict[str, Any]:
        """See `Task.answer`: the class with its probability; of several, `alternatives` lists all."""
        decoder, symbols = recipe.decoder, recipe.data.labels.symbols
        outputs = graphs[MODEL](**recipe.data.collate([item]))
        (row,) = class_probabilities(outputs)
        order = np.argsort(-row, kind="stable")[: decoder.n_best]
        classes = [{"output": symbols[i], "probability": float(row[i])} for i in order]
        classes = [one for one in classes if one["probability"] >= decoder.min_confidence]
        answer = dict(classes[0]) if classes else {"output": "", "probability": float(row.max())}
        answer |= {"alternatives": classes} if decoder.n_best > 1 else {}
        return answer | self.more_of_answer(outputs, recipe, item)

    def batch_figures(
        self, outputs: dict[str, np.ndarray], references: list[str], recipe: Recipe
    ) -> list[dict[str, float]]:
        """Return the figures of each example of a batch beside whether its answer is right, by the
        names of metrics: the mean over all examples is the metric, what cannot be read counted as 0."""
        return [{}] * len(references)

    def more_of_answer(
        self, outputs: dict[str, np.ndarray], recipe: Recipe, item: Item
    ) -> dict[str, Any]:
        """Return what else the answer to an input tells."""
        return {}

    def answer_segments(
        self, graphs: Graphs, recipe: Recipe, segments: Iterator[Segment]
    ) -> dict[str, Any]:
        """See `Task.answer_segments`: `detections`, as `merge_detections` gives them."""
        heard = self.heard(graphs, recipe, segments)
        found = ((piece, label, row[label]) for piece, label, row in heard if label)
        detections = merge_detections(found)
        return {"output": count_detections(detections), "detections": detections}

    def heard(
        self, graphs: Graphs, recipe: Recipe, segments: Iterable[Segment]
    ) -> Iterator[tuple[Segment, str, dict[str, float]]]:
        """Yield (piece, what `detect` finds in it, the probability of each class by name)."""
        symbols, least = recipe.data.labels.symbols, recipe.decoder.min_confidence
        for pieces, inputs in batches(recipe.data, segments):
            rows = class_probabilities(graphs[MODEL](**inputs))
            for piece, row in zip(pieces, rows, strict=True):
                probabilities = dict(zip(symbols, row.tolist(), strict=True))
                yield piece, self.detect(probabilities, least), probabilities

    def detect(self, probabilities: dict[str, float], min_confidence: float) -> str:
        """Return the likeliest class but the background, or "" for nothing.

        It must have `min_confidence`; where that is 0, it must be likelier than the background.

        Args:
            probabilities: of classes by name; a class that is not there has 0.
        """
        least = min_confidence or probabilities.get(self.background, 0.0)
        rest = {name: p for name, p in probabilities.items() if name != self.background}
        best = max(rest, key=rest.__getitem__, default="")
        return best if best and rest[best] >= least else ""

    def answer_in_graph(self, model: Any, recipe: Recipe) -> Any:
        """See `Task.answer_in_graph`: `label` string [batch] and `probabilities` float32 [batch,
        classes], whose order is that of the file of labels."""
        import tensorflow as tf

        symbols = tf.constant(recipe.data.labels.symbols)

        def answer(inputs):
            probabilities = tf.nn.softmax(model(inputs, training=False)["logits"])
            label = tf.gather(symbols, tf.argmax(probabilities, axis=-1))
            return {"label": label, "probabilities": probabilities}

        return answer

    def plot(self, recipe: Recipe, evaluation: Evaluation, folder: Path) -> list[Path]:
        """See `Task.plot`: the confusion matrix; of two classes also ROC, and precision and recall."""
        from zoo.common.utils.plots import save

        symbols = list(recipe.data.labels.symbols)
        paths = [save(_confusion_matrix(evaluation, symbols), folder / "confusion_matrix.png")]
        if curve := _scores(evaluation.rows, symbols):
            paths.append(save(roc_figure(*curve, symbols[1]), folder / "roc.png"))
            picture = precision_recall_figure(*curve, symbols[1])
            paths.append(save(picture, folder / "precision_recall.png"))
        return paths

    def _steers(self, name: str) -> bool:
        return name != self.metric


def _confusion_matrix(evaluation: Evaluation, symbols: list[str]) -> Figure:
    """How many examples of each class got which answer, without those that could not be read."""
    from zoo.common.utils.plots import figure

    counts = np.zeros((len(symbols), len(symbols)), int)
    for row in evaluation.rows:
        if row["output"] != UNREADABLE and row["reference"] in symbols:
            counts[symbols.index(row["reference"]), symbols.index(row["output"])] += 1
    size = max(4.0, 0.5 * len(symbols) + 1.5)
    picture = figure(figsize=(size, size))
    axes = picture.subplots()
    axes.imshow(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1), cmap="Blues")
    for i, j in zip(*np.nonzero(counts), strict=True):
        colour = "white" if counts[i, j] > counts[i].sum() / 2 else "black"
        axes.text(j, i, counts[i, j], ha="center", va="center", color=colour, fontsize=8)
    ticks = range(len(symbols))
    axes.set_xticks(ticks, symbols, rotation=90 if max(map(len, symbols)) > 2 else 0)
    axes.set_yticks(ticks, symbols)
    axes.set(xlabel="answer", ylabel="true class")
    accuracy = evaluation.metrics["accuracy"]
    axes.set_title(f"accuracy {accuracy:.4f}, {evaluation.num_examples} examples")
    return picture


def class_probabilities(outputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return the softmax of `logits`, over the last axis."""
    return np.exp(log_softmax(np.asarray(outputs["logits"], np.float64), np))


def _scores(
    rows: list[dict[str, Any]], symbols: Sequence[str]
) -> tuple[np.ndarray, np.ndarray] | None:
    """(probability of the second of two classes, whether it is right) of each example of either; None
    where there are not two classes, or not both occur."""
    if len(symbols) != 2 or not set(symbols) <= {row["reference"] for row in rows}:
        return None
    rows = [row for row in rows if row["reference"] in symbols]
    positive = np.array([row["reference"] == symbols[1] for row in rows])

    def score(row: dict[str, Any]) -> float:
        if row["output"] == UNREADABLE:  # wrong: beyond all that could be read
            return -1.0 if row["reference"] == symbols[1] else 2.0
        return row["probability"] if row["output"] == symbols[1] else 1 - row["probability"]

    return np.array([score(row) for row in rows]), positive


def recalls(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, float, int]]:
    """Return (class, share found, how often it is true) of each class that occurs.

    Args:
        pairs: (true class, answer).
    """
    classes: dict[str, list[bool]] = {}
    for reference, output in pairs:
        classes.setdefault(reference, []).append(reference == output)
    return [(name, float(np.mean(found)), len(found)) for name, found in sorted(classes.items())]


def _means(figures: list[dict[str, float]]) -> dict[str, float]:
    """The mean of each figure over all examples; one that an example has not is 0."""
    names = sorted({name for each in figures for name in each})
    return {name: float(np.mean([each.get(name, 0.0) for each in figures])) for name in names}


def class_metrics(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Return accuracy, and F1 in the mean over the classes that occur.

    Args:
        pairs: (true class, answer), at least one.
    """
    f1 = []
    for name in {reference for reference, _ in pairs}:
        both = sum(reference == output == name for reference, output in pairs)
        either = sum((reference == name) + (output == name) for reference, output in pairs)
        f1.append(2 * both / either)
    accuracy = sum(reference == output for reference, output in pairs) / len(pairs)
    return {"accuracy": accuracy, "f1_macro": float(np.mean(f1))}
