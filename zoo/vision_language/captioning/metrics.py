"""How captions are measured: against all captions that people gave an image."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from zoo.vision_language.captioning.captions import CaptionedImage, words

SHOWN = 8


def compute_metrics(
    examples: Sequence[CaptionedImage], captions: Sequence[str], copies: Collection[str]
) -> tuple[dict[str, float], list[str], list[dict[str, Any]]]:
    """Return BLEU, ROUGE-L and CIDEr of a caption for each example, by the scorers of `pycocoevalcap`.

    Both sides are `words` joined by blanks, in place of the tokenizer that needs Java.

    Args:
        captions: one for each example; empty where there is none.
        copies: those of them, as joined words, that are captions of the training images too.

    Returns:
        The metrics: `bleu4` down to `bleu1`, corpus BLEU over 1- to 4-grams down to 1-grams (Papineni et
        al. 2002); `rouge_l`, the mean ROUGE-L (Lin 2004); `cider`, as its scorer prints it, 10 times a
        mean cosine (Vedantam, Zitnick & Parikh 2015); `copy_rate`, the share of captions that are
        copies; `unique_ratio`, how many different captions there are, as a share of the examples. Then a
        report of a few examples, and a row for each.
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


def _report(rows: list[dict[str, Any]]) -> list[str]:
    order = sorted(rows, key=lambda row: row["cider"])
    report = []
    for title, shown in (("Least alike", order[:SHOWN]), ("Most alike", order[: -SHOWN - 1 : -1])):
        report.append(f"{title} to what people wrote, by CIDEr:")
        for row in shown:
            people = " | ".join(row["references"])
            report.append(f"  {row['id']} {row['cider']:.2f}  {row['output']}  ({people})")
    return report
