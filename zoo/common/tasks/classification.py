"""Classification: one class per input."""

from __future__ import annotations

import math
import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.capabilities import (
    EvaluationPlots,
    RowMetrics,
    Segment,
    SegmentAnswers,
    ThresholdChoice,
)
from zoo.common.core.data import Item
from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.formats import csv_row
from zoo.common.core.model import ModelConfig
from zoo.common.core.predictor import Predictor
from zoo.common.core.settings import renamed
from zoo.common.core.task import Task
from zoo.common.data.batching import evaluation_batches
from zoo.common.data.labels import LabelledData
from zoo.common.data.text import normalize
from zoo.common.decoding.decoders import Classes
from zoo.common.decoding.generation import log_softmax
from zoo.common.decoding.segments import batches, count_detections, merge_detections
from zoo.common.metrics.detection import (
    area_under_roc,
    confusion_figure,
    precision_recall_figure,
    roc_figure,
)
from zoo.common.metrics.outside import warn_about_outside
from zoo.common.metrics.thresholds import (
    Operation,
    best_threshold,
    operations,
    thresholds_figure,
)
from zoo.common.runtime.keras_model import MODEL
from zoo.common.utils.files import write_text

UNREADABLE = ""
# Key of the rows of an evaluation: the probability of each class, 0 for an unreadable example.
PROBABILITIES = "probabilities"
# Cross-entropy of an unreadable example, and the maximum of others.
LARGEST_NATS = 100.0

Classifier = Predictor[LabelledData, ModelConfig, Classes]


@dataclass(frozen=True)
class Classification(Task, SegmentAnswers, EvaluationPlots, RowMetrics, ThresholdChoice):
    """Answer with the most probable class.

    The labels of the data have the unit "class". Examples have the attributes `id` and `label`. The
    model has the output `logits` float32 [batch, classes].

    Args:
        monitor: "accuracy"; "f1_macro", the mean of the harmonic mean of precision and recall over the
            true classes, which weights rare and frequent classes equally; "cross_entropy" in nats,
            which does not end a training when all answers are correct; or, for two classes, "auc", the
            area under the ROC curve of the second class.
        background: the class without content, which is not reported in long inputs; empty if there is
            no such class.
    """

    verb: ClassVar[str] = "classify"
    packages: ClassVar[tuple[str, ...]] = ("scipy",)
    monitors: ClassVar[tuple[str, ...]] = ("accuracy", "f1_macro", "cross_entropy", "auc")

    monitor: str = renamed("accuracy", formerly="steer_by")
    background: str = ""

    def is_defined(self, symbols: Sequence[str], references: Collection[str]) -> bool:
        """Return whether `monitor` is defined for examples of some classes.

        Args:
            symbols: names of the classes of the model.
            references: the true classes of the examples.
        """
        return self.monitor != "auc" or (len(symbols) == 2 and set(symbols) <= set(references))

    def loss(self, y: dict[str, Any], outputs: dict[str, Any]) -> Any:
        """Return the cross-entropy in nats."""
        from keras import ops

        logits = ops.cast(outputs["logits"], "float32")
        return ops.sparse_categorical_crossentropy(y["label"], logits, from_logits=True)

    def evaluate(self, predictor: Classifier, examples: list[Any]) -> Evaluation:
        """Return accuracy, macro F1 and, for two classes that both occur, the area under the ROC curve.

        An unreadable example counts as wrong.

        Raises:
            ZooError: `monitor` is "auc", which is not defined for these examples.
        """
        started = time.perf_counter()
        symbols = predictor.data.labels.symbols
        references = [normalize(example.label) for example in examples]
        warn_about_outside(predictor.data.labels, references)
        errors: dict[int, str] = {}
        answers: list[dict[str, Any]] = [{"output": UNREADABLE, "probability": 0.0}] * len(examples)
        metrics_of: list[dict[str, float]] = [{}] * len(examples)
        probabilities = np.zeros((len(examples), len(symbols)))
        for indices, inputs in evaluation_batches(
            predictor.data, predictor.model, examples, errors
        ):
            outputs = predictor.graphs[MODEL](**inputs)
            more = self.example_metrics(outputs, [references[i] for i in indices], symbols)
            for i, row, metrics in zip(indices, class_probabilities(outputs), more, strict=True):
                best = symbols[int(row.argmax())]
                answers[i] = {"output": best, "probability": float(row.max())}
                probabilities[i] = row
                metrics_of[i] = metrics
                if self.monitor == "cross_entropy":
                    answers[i]["cross_entropy"] = _nats(row, symbols, references[i])
        rows = [
            {"id": example.id, "reference": reference}
            | answer
            | metrics
            | {PROBABILITIES: dict(zip(symbols, row.tolist(), strict=True))}
            for example, reference, answer, metrics, row in zip(
                examples, references, answers, metrics_of, probabilities, strict=True
            )
        ]
        pairs = [(row["reference"], row["output"]) for row in rows]
        values = self.row_metrics(predictor, rows) | _means(metrics_of)
        if self.monitor not in values:
            occur = sorted({row["reference"] for row in rows})
            raise ZooError(
                f"The metric {self.monitor!r} requires two classes, with examples of both. Received: "
                f"examples of {', '.join(map(repr, occur))} of the classes "
                f"{', '.join(map(repr, symbols))}."
            )
        metrics = {name: values[name] for name in sorted(values, key=lambda n: n != self.monitor)}
        report = [f"{name}: {share:.4f} of {count}" for name, share, count in recalls(pairs)]
        report += [f"Unreadable, counted as wrong: {error}" for error in errors.values()]
        return Evaluation(metrics, len(examples), time.perf_counter() - started, report, rows)

    def row_metrics(self, predictor: Classifier, rows: list[dict[str, Any]]) -> dict[str, float]:
        """Return accuracy and macro F1.

        If both of two classes occur, there is also the area under the ROC curve; `cross_entropy` only if
        it is monitored.
        """
        values = class_metrics([(row["reference"], row["output"]) for row in rows])
        if curve := _scores(rows, predictor.data.labels.symbols):
            values["auc"] = area_under_roc(*curve)
        if self.monitor == "cross_entropy":
            nats = [row.get("cross_entropy", LARGEST_NATS) for row in rows]
            values["cross_entropy"] = float(np.mean(nats))
        return values

    def answer(self, predictor: Classifier, item: Item) -> dict[str, Any]:
        """Return the class and its probability; with `n_best`, `alternatives` lists several."""
        decoder, symbols = predictor.decoder, predictor.data.labels.symbols
        outputs = predictor.graphs[MODEL](**predictor.data.collate([item]))
        (row,) = class_probabilities(outputs)
        order = np.argsort(-row, kind="stable")[: decoder.n_best]
        classes = [{"output": symbols[i], "probability": float(row[i])} for i in order]
        classes = [one for one in classes if one["probability"] >= decoder.min_confidence]
        answer = dict(classes[0]) if classes else {"output": "", "probability": float(row.max())}
        answer |= {"alternatives": classes} if decoder.n_best > 1 else {}
        return answer | self.extra_answer(outputs, symbols, item)

    def example_metrics(
        self, outputs: dict[str, np.ndarray], references: list[str], symbols: Sequence[str]
    ) -> list[dict[str, float]]:
        """Return further metrics of each example of a batch, by metric name.

        The metric of a split is the mean over all examples, where unreadable ones count as 0.

        Args:
            outputs: outputs of the model.
            references: the true classes.
            symbols: names of the classes.
        """
        return [{}] * len(references)

    def extra_answer(
        self, outputs: dict[str, np.ndarray], symbols: Sequence[str], item: Item
    ) -> dict[str, Any]:
        """Return further entries of an answer.

        Args:
            outputs: outputs of the model.
            symbols: names of the classes.
            item: the input.
        """
        return {}

    def answer_segments(self, predictor: Classifier, segments: Iterator[Segment]) -> dict[str, Any]:
        """Return `detections` as `merge_detections` gives them."""
        detected = self.detect_segments(predictor, segments)
        found = ((segment, label, row[label]) for segment, label, row in detected if label)
        detections = merge_detections(found)
        return {"output": count_detections(detections), "detections": detections}

    def detect_segments(
        self, predictor: Classifier, segments: Iterable[Segment]
    ) -> Iterator[tuple[Segment, str, dict[str, float]]]:
        """Yield (segment, result of `detect`, the probability of each class by name)."""
        symbols, threshold = predictor.data.labels.symbols, predictor.decoder.min_confidence
        for batch, inputs in batches(predictor.data, segments):
            rows = class_probabilities(predictor.graphs[MODEL](**inputs))
            for segment, row in zip(batch, rows, strict=True):
                probabilities = dict(zip(symbols, row.tolist(), strict=True))
                yield segment, self.detect(probabilities, threshold), probabilities

    def detect(self, probabilities: dict[str, float], min_confidence: float) -> str:
        """Return the most probable class except the background, or "" if nothing is detected.

        Args:
            probabilities: probabilities by class name; a missing class has 0.
            min_confidence: threshold of the probability; at 0 the threshold is the probability of the
                background.
        """
        threshold = min_confidence or probabilities.get(self.background, 0.0)
        rest = {name: p for name, p in probabilities.items() if name != self.background}
        best = max(rest, key=rest.__getitem__, default="")
        return best if best and rest[best] >= threshold else ""

    def answer_in_graph(self, predictor: Classifier) -> Any:
        """Return `label` string [batch] and `probabilities` float32 [batch, classes].

        The order of the probabilities is that of the file of labels.
        """
        import tensorflow as tf

        symbols = tf.constant(predictor.data.labels.symbols)
        model = predictor.graphs[MODEL]

        def answer(inputs):
            probabilities = tf.nn.softmax(model(inputs, training=False)["logits"])
            label = tf.gather(symbols, tf.argmax(probabilities, axis=-1))
            return {"label": label, "probabilities": probabilities}

        return answer

    def plot_evaluation(
        self, predictor: Classifier, evaluation: Evaluation, folder: Path
    ) -> list[Path]:
        """Draw the confusion matrix, and precision and recall of each class over thresholds.

        The numbers of these curves are in thresholds.csv. Two classes have ROC, and precision against
        recall, too.
        """
        from zoo.common.utils.plots import save

        symbols = list(predictor.data.labels.symbols)
        readable = [row for row in evaluation.rows if row["output"] != UNREADABLE]
        pairs = [(row["reference"], row["output"]) for row in readable]
        accuracy = evaluation.metrics["accuracy"]
        title = f"accuracy {accuracy:.4f}, {evaluation.num_examples} examples"
        picture = confusion_figure(pairs, symbols, title)
        paths = [save(picture, folder / "confusion_matrix.png")]
        if curve := _scores(evaluation.rows, symbols):
            paths.append(save(roc_figure(*curve, symbols[1]), folder / "roc.png"))
            picture = precision_recall_figure(*curve, symbols[1])
            paths.append(save(picture, folder / "precision_recall.png"))
        if found := self._operations(predictor, evaluation):
            threshold = predictor.decoder.min_confidence or best_threshold(found)[0]
            picture = thresholds_figure(found, threshold)
            paths.append(save(picture, folder / "thresholds.png"))
            rows = [row for one in found for row in one.rows()]
            table = [",".join(rows[0]), *(csv_row(row.values()) for row in rows)]
            write_text(folder / "thresholds.csv", "\n".join(table) + "\n")
        return paths

    def choose_threshold(
        self, predictor: Classifier, evaluation: Evaluation, examples: list[Any]
    ) -> tuple[dict[str, float], str]:
        """Return the `min_confidence` with the highest mean F1 of the classes except the background."""
        found = self.threshold_operations(predictor, evaluation, examples)
        if not found:
            raise ZooError(
                "A threshold cannot be chosen: there are no examples of a class that can be detected."
            )
        threshold, f1 = best_threshold(found)
        return {"min_confidence": threshold}, (
            f"min_confidence {threshold:g}: mean F1 {f1:.4f} of {len(found)} class(es) on "
            f"{evaluation.num_examples} examples"
        )

    def threshold_operations(
        self, predictor: Classifier, evaluation: Evaluation, examples: list[Any]
    ) -> list[Operation]:
        """Return precision and recall of the classes over thresholds, by which one is chosen.

        Args:
            predictor: the trained model.
            evaluation: its evaluation on examples.
            examples: the examples.
        """
        return self._operations(predictor, evaluation)

    def _operations(self, predictor: Classifier, evaluation: Evaluation) -> list[Operation]:
        symbols = predictor.data.labels.symbols
        table = [[row[PROBABILITIES][name] for name in symbols] for row in evaluation.rows]
        references = [row["reference"] for row in evaluation.rows]
        return operations(references, np.array(table), symbols, self.background)


def class_probabilities(outputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return the softmax of `logits` over the last axis, float64."""
    return np.exp(log_softmax(np.asarray(outputs["logits"], np.float64), np))


def _nats(probabilities: np.ndarray, symbols: Sequence[str], reference: str) -> float:
    """Return the negative log-probability of the true class, at most `LARGEST_NATS`."""
    if reference not in symbols:
        return LARGEST_NATS
    probability = max(float(probabilities[symbols.index(reference)]), 1e-300)
    return min(-math.log(probability), LARGEST_NATS)


def _scores(
    rows: list[dict[str, Any]], symbols: Sequence[str]
) -> tuple[np.ndarray, np.ndarray] | None:
    """Return (probability of the second class, whether it is the true class) of each example.

    None unless there are two classes and both occur.
    """
    if len(symbols) != 2 or not set(symbols) <= {row["reference"] for row in rows}:
        return None
    rows = [row for row in rows if row["reference"] in symbols]
    positive = np.array([row["reference"] == symbols[1] for row in rows])

    def score(row: dict[str, Any]) -> float:
        if row["output"] == UNREADABLE:  # ranked as wrong: after all readable examples
            return -1.0 if row["reference"] == symbols[1] else 2.0
        return row["probability"] if row["output"] == symbols[1] else 1 - row["probability"]

    return np.array([score(row) for row in rows]), positive


def recalls(pairs: Sequence[tuple[str, str]]) -> list[tuple[str, float, int]]:
    """Return (class, recall, number of examples) of each true class.

    Args:
        pairs: (true class, answer) of each example.
    """
    classes: dict[str, list[bool]] = {}
    for reference, output in pairs:
        classes.setdefault(reference, []).append(reference == output)
    return [(name, float(np.mean(found)), len(found)) for name, found in sorted(classes.items())]


def _means(metrics_of: list[dict[str, float]]) -> dict[str, float]:
    """Return the mean of each metric over all examples, where a missing one counts as 0."""
    names = sorted({name for each in metrics_of for name in each})
    return {name: float(np.mean([each.get(name, 0.0) for each in metrics_of])) for name in names}


def class_metrics(pairs: Sequence[tuple[str, str]]) -> dict[str, float]:
    """Return accuracy, and the mean F1 over the true classes.

    It is scikit-learn's `f1_score(..., labels=true_classes, average="macro")`: a class that is only
    answered lowers the F1 of the true ones, and is not averaged.

    Args:
        pairs: (true class, answer) of each example, at least one.
    """
    f1 = []
    for name in {reference for reference, _ in pairs}:
        both = sum(reference == output == name for reference, output in pairs)
        either = sum((reference == name) + (output == name) for reference, output in pairs)
        f1.append(2 * both / either)
    accuracy = sum(reference == output for reference, output in pairs) / len(pairs)
    return {"accuracy": accuracy, "f1_macro": float(np.mean(f1))}
