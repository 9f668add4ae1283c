"""Metrics of captions, compared with all reference captions of an image."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from typing import Any

from zoo.vision_language.captioning.captions import CaptionedImage, words

SHOWN = 8


def compute_metrics(
    examples: Sequence[CaptionedImage], captions: Sequence[str], copies: Collection[str]
) -> tuple[dict[str, float], list[str], list[dict[str, Any]]]:
    """Return BLEU, ROUGE-L and CIDEr of generated captions, computed by `pycocoevalcap`.

    All captions are `words` joined by spaces. This replaces the tokenizer of `pycocoevalcap`, which
    needs Java.

    Args:
        examples: the examples of a split.
        captions: one generated caption per example; "" for an unreadable image.
        copies: generated captions, as joined words, that are also captions of the training images.

    Returns:
        The metrics, lines of a report with a few examples, and one row per example. The metrics are
        `bleu4` to `bleu1`, corpus BLEU with 1- to n-grams (Papineni et al. 2002); `rouge_l`, the mean
        ROUGE-L (Lin 2004); `cider`, 10 times a mean cosine, as in its scorer (Vedantam, Zitnick & Parikh
        2015); `copy_rate`, the share of captions that are copies; and `unique_ratio`, the number of
        different captions divided by the number of examples.
    """
    from pycocoevalcap.bleu.bleu_scorer import BleuScorer
    from pycocoevalcap.cider.cider_scorer import CiderScorer
    from pycocoevalcap.rouge.rouge import Rouge

    captions = [" ".join(words(caption)) for caption in captions]
    bleu, cider, rouge, rouges = BleuScorer(n=4), CiderScorer(n=4), Rouge(), []
    for example, caption in zip(examples, captions, strict=True):
        references = [" ".join(words(reference)) for reference in example.captions]
        bleu += (caption, references)
        cider += (caption, references)
        rouges.append(rouge.calc_score([caption], references))
    bleus, _ = bleu.compute_score(option="closest", verbose=0)
    mean_cider, ciders = cider.compute_score()
    metrics = {
        **{f"bleu{n}": bleus[n - 1] for n in (4, 3, 2, 1)},
        "rouge_l": sum(rouges) / len(rouges),
        "cider": float(mean_cider),
        "copy_rate": sum(caption in copies for caption in captions) / len(captions),
        "unique_ratio": len(set(captions)) / len(captions),
    }
    rows = [
        {
            "id": example.id,
            "image": str(example.image),
            "references": list(example.captions),
            "output": caption,
            "cider": float(value),
        }
        for example, caption, value in zip(examples, captions, ciders, strict=True)
    ]
    return metrics, _report(rows), rows


def row_metrics(rows: list[dict[str, Any]]) -> dict[str, float]:
    """Return BLEU and CIDEr of rows of `compute_metrics`.

    CIDEr is the mean of the rows: the frequencies of words are those of the whole split.
    """
    from pycocoevalcap.bleu.bleu_scorer import BleuScorer

    scorer = BleuScorer(n=4)
    for row in rows:
        of_row = _cooked(row["output"], tuple(row["references"]))
        scorer.crefs += of_row.crefs
        scorer.ctest += of_row.ctest
    bleus, _ = scorer.compute_score(option="closest", verbose=0)
    cider = sum(row["cider"] for row in rows) / len(rows)
    return {f"bleu{n}": bleus[n - 1] for n in (4, 3, 2, 1)} | {"cider": cider}


@functools.lru_cache(maxsize=10_000)  # a resample has the rows of others
def _cooked(caption: str, references: tuple[str, ...]) -> Any:
    """Return a scorer with the counts of n-grams of one caption."""
    from pycocoevalcap.bleu.bleu_scorer import BleuScorer

    joined = [" ".join(words(reference)) for reference in references]
    return BleuScorer(caption, joined, n=4)


def _report(rows: list[dict[str, Any]]) -> list[str]:
    order = sorted(rows, key=lambda row: row["cider"])
    report = []
    for title, shown in (("Lowest", order[:SHOWN]), ("Highest", order[: -SHOWN - 1 : -1])):
        report.append(f"{title} CIDEr: caption (reference captions)")
        for row in shown:
            references = " | ".join(row["references"])
            report.append(f"  {row['id']} {row['cider']:.2f}  {row['output']}  ({references})")
    return report
