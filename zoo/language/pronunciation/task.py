"""Pronouncing as a task: the phonemes of a word, those of each letter in their order.

Its data has words with a tag for each letter (`zoo.language.pronunciation.corpora.spelled`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.common.core.task import Evaluation
from zoo.common.tasks.tagging import Tagging
from zoo.language.pronunciation.corpora.spelled import JOINT, SILENT

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe


@dataclass(frozen=True)
class Pronouncing(Tagging):
    """Tags that are phonemes. There is no decoder."""

    packages: ClassVar[tuple[str, ...]] = ("jiwer",)

    def text(self, tags: Sequence[str]) -> str:
        """Return the phonemes, separated by single spaces; letters without a sound give none."""
        return " ".join(name.replace(JOINT, " ") for name in tags if name not in (SILENT, ""))

    def evaluate(self, graphs: Graphs, recipe: Recipe, examples: list[Any]) -> Evaluation:
        """See `Tagging.evaluate`.

        Beside its figures, which are of letters, `per`: the errors in the phonemes of words, as a share
        of the phonemes that are right. Of a word's pronunciations, that one counts which has the fewest
        errors. The report says how many words are without one.
        """
        evaluation = super().evaluate(graphs, recipe, examples)
        errors = phonemes = whole = 0
        for example, row in zip(examples, evaluation.rows, strict=True):
            wrong, row["reference"] = min(
                (_errors(right, row["output"]), right) for right in example.pronunciations
            )
            row["errors"] = wrong
            errors += wrong
            phonemes += len(row["reference"].split())
            whole += not wrong
        return replace(
            evaluation,
            metrics=evaluation.metrics | {"per": errors / phonemes},
            report=[
                f"words pronounced without an error: {whole} of {len(examples)}",
                *(
                    f"{row['id']}: {row['output']}, right: {row['reference']}"
                    for row in evaluation.rows
                ),
                *evaluation.report,
            ],
        )

    def facts(self, recipe: Recipe) -> dict[str, Any]:
        """See `Task.facts`: also the tag of a silent letter, and what joins the phonemes of one."""
        return super().facts(recipe) | {"silent": SILENT, "joint": JOINT}

    def answer_in_graph(self, model: Any, recipe: Recipe) -> Any:
        """See `Tagging.answer_in_graph`; also `phonemes` string [batch], as `text` gives them."""
        import tensorflow as tf

        tagged = super().answer_in_graph(model, recipe)

        def answer(inputs):
            outputs = tagged(inputs)
            sounds = tf.where(outputs["tags"] == SILENT, "", outputs["tags"])
            text = tf.strings.reduce_join(sounds, axis=1, separator=JOINT)
            text = tf.strings.regex_replace(text, f"{JOINT}+", " ")
            return outputs | {"phonemes": tf.strings.strip(text)}

        return answer


def _errors(right: str, answer: str) -> int:
    """The least number of phonemes to change, leave out or put in."""
    import jiwer

    found = jiwer.process_words(right, answer)
    return found.substitutions + found.deletions + found.insertions
