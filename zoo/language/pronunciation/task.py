"""Pronunciation: the phonemes of each letter of a word, in order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from zoo.common.core.evaluation import Evaluation
from zoo.common.tasks.tagging import Tagger, Tagging
from zoo.language.pronunciation.corpora.spelled import JOINT, SILENT


@dataclass(frozen=True)
class Pronouncing(Tagging):
    """Answer with the phonemes of a word. There is no decoder.

    Examples are `zoo.language.pronunciation.corpora.spelled.SpelledWord`.

    Args:
        monitor: see `Tagging`.
    """

    packages: ClassVar[tuple[str, ...]] = ("jiwer",)

    def text(self, tags: Sequence[str]) -> str:
        """Return the phonemes, separated by single spaces, without silent letters."""
        return " ".join(name.replace(JOINT, " ") for name in tags if name not in (SILENT, ""))

    def evaluate(self, predictor: Tagger, examples: list[Any]) -> Evaluation:
        """Return the metrics of letters, and `per`, the phoneme error rate.

        `per` is the number of errors divided by the number of reference phonemes. The reference of a
        word is the pronunciation with the fewest errors. The report has the number of words without
        errors.
        """
        evaluation = super().evaluate(predictor, examples)
        correct = 0
        for example, row in zip(examples, evaluation.rows, strict=True):
            row["errors"], row["reference"] = min(
                (_errors(reference, row["output"]), reference)
                for reference in example.pronunciations
            )
            correct += not row["errors"]
        return replace(
            evaluation,
            metrics=evaluation.metrics | {"per": _error_rate(evaluation.rows)},
            report=[
                f"words without errors: {correct} of {len(examples)}",
                *(
                    f"{row['id']}: {row['output']}, reference: {row['reference']}"
                    for row in evaluation.rows
                ),
                *evaluation.report,
            ],
        )

    def row_metrics(self, predictor: Tagger, rows: list[dict[str, Any]]) -> dict[str, float]:
        """Return the accuracy and the phoneme error rate of these rows."""
        return super().row_metrics(predictor, rows) | {"per": _error_rate(rows)}

    def export_metadata(self, predictor: Tagger) -> dict[str, Any]:
        """Return also the tag of a silent letter, and the separator of two phonemes of a letter."""
        return super().export_metadata(predictor) | {"silent": SILENT, "joint": JOINT}

    def answer_in_graph(self, predictor: Tagger) -> Any:
        """Return the outputs of `Tagging.answer_in_graph`, and `phonemes` string [batch]."""
        import tensorflow as tf

        tag = super().answer_in_graph(predictor)

        def answer(inputs):
            outputs = tag(inputs)
            sounds = tf.where(outputs["tags"] == SILENT, "", outputs["tags"])
            text = tf.strings.reduce_join(sounds, axis=1, separator=JOINT)
            text = tf.strings.regex_replace(text, f"{JOINT}+", " ")
            return outputs | {"phonemes": tf.strings.strip(text)}

        return answer


def _error_rate(rows: list[dict[str, Any]]) -> float:
    return sum(row["errors"] for row in rows) / sum(len(row["reference"].split()) for row in rows)


def _errors(reference: str, answer: str) -> int:
    """Return the edit distance of phonemes."""
    import jiwer

    found = jiwer.process_words(reference, answer)
    return found.substitutions + found.deletions + found.insertions
