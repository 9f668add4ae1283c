"""Word, character and phoneme error rates of texts, computed by jiwer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from zoo.common.data.text import normalize

METRICS = ("wer", "cer", "per")
# Number of examples of each group in a report.
GROUP_SIZE = 3


def error_rates(
    examples: Sequence[Any], hypotheses: Sequence[str], raw: Sequence[str], metric: str
) -> tuple[dict[str, float], list[str], list[dict[str, Any]]]:
    """Return error rates, the lines of a report, and one row per example.

    All texts are compared in NFC. The spaces between words count as characters in `cer`.

    Args:
        examples: objects with `id` and `transcript`.
        hypotheses: the predicted text of each example.
        raw: the text of each example without a search, for the rows.
        metric: "per" for the phoneme error rate only; "wer" or "cer" for both of these, with the given
            one first.

    Returns:
        The error rates by name, the lines of the report, and the rows.
    """
    import jiwer

    count = {"cer": jiwer.process_characters}
    names = ("per",) if metric == "per" else sorted(("wer", "cer"), key=lambda name: name != metric)
    references = [normalize(example.transcript) for example in examples]
    hypotheses = list(map(normalize, hypotheses))
    counts = {name: count.get(name, jiwer.process_words) for name in names}
    attribute = {"cer": "cer"}
    totals = {name: counts[name](references, hypotheses) for name in names}
    metrics = {name: getattr(totals[name], attribute.get(name, "wer")) for name in names}
    units = {"wer": "words", "cer": "characters", "per": "phonemes"}
    report = [
        f"{units[name]}: {out.hits + out.substitutions + out.deletions} in the references, "
        f"{out.substitutions} substituted, {out.deletions} deleted, {out.insertions} inserted"
        for name, out in totals.items()
    ]
    rows = [
        {"id": example.id, "reference": reference, "output": hypothesis, "raw": raw_text}
        | {
            name: getattr(counts[name](reference, hypothesis), attribute.get(name, "wer"))
            for name in names
        }
        for example, reference, hypothesis, raw_text in zip(
            examples, references, hypotheses, raw, strict=True
        )
    ]
    return metrics, report + _show(rows, metric), rows


def mean_error_rates(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return the error rates of rows of `error_rates`, each weighted by the length of its reference.

    Empty if all references are empty.
    """
    rates = {}
    for name in (name for name in METRICS if name in rows[0]):
        lengths = [
            len(row["reference"]) if name == "cer" else len(row["reference"].split())
            for row in rows
        ]
        total = sum(lengths)
        if total:
            errors = sum(row[name] * n for row, n in zip(rows, lengths, strict=True) if n)
            rates[name] = errors / total
    return rates


def _show(rows: list[dict[str, Any]], metric: str) -> list[str]:
    """Return report lines of the best, median and worst rows."""
    order = sorted(rows, key=lambda row: (row[metric], row["id"]))
    middle = max(0, (len(order) - GROUP_SIZE) // 2)
    groups = {
        "best": order[:GROUP_SIZE],
        "median": order[middle : middle + GROUP_SIZE],
        "worst": order[-GROUP_SIZE:],
    }
    return [
        line
        for name, chosen in groups.items()
        for row in chosen
        for line in (
            f"{name:6} {row['id']}, {metric} {row[metric]:.2f}",
            f"       reference:  {row['reference']}",
            f"       recognized: {row['output']}",
        )
    ]
