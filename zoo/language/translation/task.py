"""Translation as a task: a sentence in another language, measured by sacreBLEU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.common.tasks.sequence_to_sequence import SequenceToSequence

if TYPE_CHECKING:
    from zoo.common.core.recipe import Recipe
    from zoo.language.translation.corpora.parallel import SentencePair

SHOWN = 8


@dataclass(frozen=True)
class Translation(SequenceToSequence):
    """A sentence in another language. See `SequenceToSequence`."""

    verb: ClassVar[str] = "translate"
    packages: ClassVar[tuple[str, ...]] = ("sacrebleu",)
    output_name: ClassVar[str] = "translation"

    @property
    def metric(self) -> str:
        """BLEU, case counted."""
        return "bleu"

    def compute_metrics(
        self, recipe: Recipe, examples: list[SentencePair], outputs: Sequence[str]
    ) -> tuple[dict[str, float], list[str], list[dict[str, Any]]]:
        """See `compute_metrics`."""
        return compute_metrics(examples, outputs)


def compute_metrics(
    examples: Sequence[SentencePair], outputs: Sequence[str]
) -> tuple[dict[str, float], list[str], list[dict[str, Any]]]:
    """Return how near translations are to those by people, by `sacrebleu`.

    Args:
        outputs: a translation for each example; empty where there is none.

    Returns:
        The metrics: `bleu`, corpus BLEU of the texts as they are written (Papineni et al. 2002; Post, "A
        call for clarity in reporting BLEU scores", 2018), its tokens those of mteval-v13a; and
        `bleu_lowercase`, the same without case, as many published figures are. Then sacreBLEU's
        signature and a few examples as a report, and a row for each example.
    """
    from sacrebleu.metrics import BLEU

    references = [[example.target for example in examples]]
    cased, sentence = BLEU(), BLEU(effective_order=True)
    metrics = {
        "bleu": cased.corpus_score(outputs, references).score / 100,
        "bleu_lowercase": BLEU(lowercase=True).corpus_score(outputs, references).score / 100,
    }
    rows = [
        {
            "id": example.id,
            "source": example.source,
            "reference": example.target,
            "output": output,
            "bleu": sentence.sentence_score(output, [example.target]).score / 100,
        }
        for example, output in zip(examples, outputs, strict=True)
    ]
    return metrics, [f"sacreBLEU: {cased.get_signature()}", *_report(rows)], rows


def _report(rows: list[dict[str, Any]]) -> list[str]:
    order, report = sorted(rows, key=lambda row: row["bleu"]), []
    for title, shown in (("Least", order[:SHOWN]), ("Most", order[: -SHOWN - 1 : -1])):
        report.append(f"{title} like what people wrote:")
        for row in shown:
            about = f"({row['reference']} | {row['source']})"
            report.append(f"  {row['id']} {row['bleu']:.2f}  {row['output']}  {about}")
    return report
