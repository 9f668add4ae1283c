"""How captions are measured: against all captions that people gave an image."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from zoo.common.errors import ZooError
from zoo.vision_language.corpora import Example, words

SHOWN = 8


def score(
    examples: Sequence[Example], captions: Sequence[str], seen: Collection[str]
) -> tuple[dict[str, float], list[str]]:
    """BLEU and CIDEr of one caption for each example, by the scorers of `pycocoevalcap`.

    Both sides are `words` joined by blanks, in place of the tokenizer that needs Java.

    bleu1, bleu4: corpus BLEU over 1-grams, and over 1- to 4-grams (Papineni et al. 2002).
    bleu4_loss: 1 - bleu4; what a run is steered by, for lower is better there.
    cider: as that scorer prints it, 10 times a mean cosine (Vedantam, Zitnick & Parikh 2015).
    verbatim: the share of captions that are in `seen`, joined words too: copies from training.
    distinct: how many different captions there are, as a share of the examples.

    Returns the metrics and a report of a few examples. Raises `ZooError` without `pycocoevalcap`.
    """
    try:
        from pycocoevalcap.bleu.bleu_scorer import BleuScorer
        from pycocoevalcap.cider.cider_scorer import CiderScorer
    except ImportError:
        raise ZooError(
            "Captions are scored by a package that is missing: pip install pycocoevalcap"
        ) from None

    captions = [" ".join(words(caption)) for caption in captions]
    bleu, cider = BleuScorer(n=4), CiderScorer(n=4)
    for example, caption in zip(examples, captions, strict=True):
        references = [" ".join(words(reference)) for reference in example.captions]
        bleu += (caption, references)
        cider += (caption, references)
    bleus, _ = bleu.compute_score(option="closest", verbose=0)
    mean_cider, ciders = cider.compute_score()
    metrics = {
        "bleu4": bleus[3],
        "bleu4_loss": 1 - bleus[3],
        "bleu1": bleus[0],
        "cider": float(mean_cider),
        "verbatim": sum(caption in seen for caption in captions) / len(captions),
        "distinct": len(set(captions)) / len(captions),
    }
    order = sorted(range(len(examples)), key=lambda i: ciders[i])
    report = []
    for title, chosen in (("Least alike", order[:SHOWN]), ("Most alike", order[: -SHOWN - 1 : -1])):
        report.append(f"{title} to what people wrote, by CIDEr:")
        for i in chosen:
            people = " | ".join(examples[i].captions)
            report.append(f"  {examples[i].id} {ciders[i]:.2f}  {captions[i]}  ({people})")
    return metrics, report
