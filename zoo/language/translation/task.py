"""Translation as a task: sentences in another language, evaluated by sacreBLEU."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from zoo.common.tasks.sequence_to_sequence import SequenceToSequence

if TYPE_CHECKING:
    from zoo.language.translation.corpora.parallel import SentencePair

# Number of the worst and of the best translations in a report.
SHOWN = 8


@dataclass(frozen=True)
class Translation(SequenceToSequence):
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


def _report(rows: list[dict[str, Any]]) -> list[str]:
    order = sorted(rows, key=lambda row: row["bleu"])
    report = []
    for title, shown in (("Lowest", order[:SHOWN]), ("Highest", order[: -SHOWN - 1 : -1])):
        report.append(f"{title} sentence BLEU (reference | source):")
        for row in shown:
            texts = f"({row['reference']} | {row['source']})"
            report.append(f"  {row['id']} {row['bleu']:.2f}  {row['output']}  {texts}")
    return report
