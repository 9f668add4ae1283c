"""Error rates of texts: of words, characters and phonemes, counted by jiwer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

METRICS = ("wer", "cer", "per")
# Examples of each group that a report shows.
SHOWN = 3


def error_rates(
    examples: Sequence[Any], hypotheses: Sequence[str], raw: Sequence[str], metric: str
) -> tuple[dict[str, float], list[str], list[dict[str, Any]]]:
    """Return error rates, lines of a report and a row an example.

    The spaces between words count as characters in `cer`.

    Args:
        examples: each with `id` and `transcript`. hypotheses: their texts. raw: their texts before a
            search, for the rows.
        metric: "per" for phonemes alone; "wer" or "cer" for both, that one first.
    """
    import jiwer

    count = {"cer": jiwer.process_characters}
    names = ("per",) if metric == "per" else sorted(("wer", "cer"), key=lambda name: name != metric)
    references = [example.transcript for example in examples]
    counts = {name: count.get(name, jiwer.process_words) for name in names}
    rate = {"cer": "cer"}
    totals = {name: counts[name](references, list(hypotheses)) for name in names}
    metrics = {name: getattr(totals[name], rate.get(name, "wer")) for name in names}
    what = {"wer": "words", "cer": "characters", "per": "phonemes"}
    report = [
        f"{what[name]}: {out.hits + out.substitutions + out.deletions} in the references, "
        f"{out.substitutions} substituted, {out.deletions} deleted, {out.insertions} inserted"
        for name, out in totals.items()
    ]
    rows = [
        {"id": example.id, "reference": reference, "output": hypothesis, "raw": unsearched}
        | {
            name: getattr(counts[name](reference, hypothesis), rate.get(name, "wer"))
            for name in names
        }
        for example, reference, hypothesis, unsearched in zip(
            examples, references, hypotheses, raw, strict=True
        )
    ]
    return metrics, report + _show(rows, metric), rows


def _show(rows: list[dict[str, Any]], metric: str) -> list[str]:
    """Lines of the best, median and worst rows."""
    order = sorted(rows, key=lambda row: (row[metric], row["id"]))
    middle = max(0, (len(order) - SHOWN) // 2)
    groups = {
        "best": order[:SHOWN],
        "median": order[middle : middle + SHOWN],
        "worst": order[-SHOWN:],
    }
    return [
        line
        for name, chosen in groups.items()
        for row in chosen
        for line in (
            f"{name:6} {row['id']}, {metric} {row[metric]:.2f}",
            f"       reference:  {row['reference']}",
            f"       recognised: {row['output']}",
        )
    ]
