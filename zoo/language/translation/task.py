"""Translation as a task: sentences in another language, evaluated by sacreBLEU."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.capabilities import RowMetrics
from zoo.common.core.predictor import Predictor
from zoo.common.tasks.sequence_to_sequence import SequenceToSequence

if TYPE_CHECKING:
    from zoo.language.translation.corpora.parallel import SentencePair

# Number of the worst and of the best translations in a report.
SHOWN = 8


@dataclass(frozen=True)
class Translation(SequenceToSequence, RowMetrics):
    """Answer with a sentence in another language. See `SequenceToSequence`.

    Args:
        monitor: "bleu".
        label_smoothing: see `SequenceToSequence`.
    """

    verb: ClassVar[str] = "translate"
    packages: ClassVar[tuple[str, ...]] = ("sacrebleu",)
    output_name: ClassVar[str] = "translation"
    monitors: ClassVar[tuple[str, ...]] = ("bleu",)

    monitor: str = "bleu"

    def compute_metrics(
        self, data: Any, examples: list[SentencePair], outputs: Sequence[str]
    ) -> tuple[dict[str, float], list[str], list[dict[str, Any]]]:
        """Return BLEU scores, computed by `sacrebleu`.

        `bleu` is the corpus BLEU of the texts with their case and the tokens of mteval-v13a (Papineni et
        al. 2002; Post, "A call for clarity in reporting BLEU scores", 2018). `bleu_lowercase` ignores
        case, as many published figures do.

        Args:
            data: not used.
            examples: the examples of a split.
            outputs: one translation per example; empty if there is none.

        Returns:
            The metrics; a report with sacreBLEU's signature and some examples; and one row per example.
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

    def row_metrics(
        self, predictor: Predictor[Any, Any, Any], rows: list[dict[str, Any]]
    ) -> dict[str, float]:
        """Return the corpus BLEU scores of these rows, from the counts of n-grams of each row."""
        return {
            "bleu": _corpus_bleu(rows, lowercase=False),
            "bleu_lowercase": _corpus_bleu(rows, lowercase=True),
        }


def _corpus_bleu(rows: list[dict[str, Any]], lowercase: bool) -> float:
    from sacrebleu.metrics import BLEU

    counts = [_counts(row["output"], row["reference"], lowercase) for row in rows]
    output, reference, *orders = np.sum(counts, axis=0).tolist()
    correct, total = orders[: len(orders) // 2], orders[len(orders) // 2 :]
    score = BLEU.compute_bleu(correct, total, output, reference, smooth_method="exp")
    return score.score / 100


@functools.lru_cache(maxsize=10_000)  # a resample has the rows of others
def _counts(output: str, reference: str, lowercase: bool) -> list[int]:
    """Return the lengths of output and reference, and the correct and total n-grams of each order."""
    from sacrebleu.metrics import BLEU

    score = BLEU(lowercase=lowercase, effective_order=True).sentence_score(output, [reference])
    return [score.sys_len, score.ref_len, *score.counts, *score.totals]


def _report(rows: list[dict[str, Any]]) -> list[str]:
    order = sorted(rows, key=lambda row: row["bleu"])
    report = []
    for title, shown in (("Lowest", order[:SHOWN]), ("Highest", order[: -SHOWN - 1 : -1])):
        report.append(f"{title} sentence BLEU (reference | source):")
        for row in shown:
            texts = f"({row['reference']} | {row['source']})"
            report.append(f"  {row['id']} {row['bleu']:.2f}  {row['output']}  {texts}")
    return report
