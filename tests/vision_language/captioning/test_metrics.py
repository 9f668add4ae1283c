"""Tests of the metrics of captions against pycocoevalcap and by hand."""

import math
from pathlib import Path

import pytest
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider

from zoo.vision_language.captioning.captions import CaptionedImage
from zoo.vision_language.captioning.metrics import compute_metrics


def example(name: str, *captions: str) -> CaptionedImage:
    return CaptionedImage(name, Path(name), captions)


REFERENCES = [
    example("a", "Many planes are parked near a building .", "some planes are at an airport ."),
    example("b", "A river runs through a dark forest .", "green trees are beside the river ."),
    example("c", "There are two bridges over the river."),
]
CAPTIONS = [
    "many planes are parked at an airport",
    "a river runs through green trees",
    "a bridge over the river",
]


def test_metrics_equal_those_of_pycocoevalcap():
    references = {
        e.id: [c.lower().replace(" .", "").replace(".", "") for c in e.captions] for e in REFERENCES
    }
    decoded = {e.id: [caption] for e, caption in zip(REFERENCES, CAPTIONS, strict=True)}
    bleu, _ = Bleu(4).compute_score(references, decoded, verbose=0)
    cider, _ = Cider().compute_score(references, decoded)
    metrics, report, rows = compute_metrics(REFERENCES, CAPTIONS, copies=set())
    assert metrics["bleu1"] == pytest.approx(bleu[0])
    assert metrics["bleu4"] == pytest.approx(bleu[3])
    assert metrics["cider"] == pytest.approx(cider)
    assert any("a river runs through green trees" in line for line in report)
    assert [row["output"] for row in rows] == CAPTIONS
    assert [row["id"] for row in rows] == ["a", "b", "c"]
    assert sum(row["cider"] for row in rows) / 3 == pytest.approx(cider)


def test_bleu_by_hand():
    """The reference has 7 of 8 words, 5 of 7 bigrams, 3 of 6 trigrams and 1 of 5 4-grams."""
    references = [example("a", "one two three four x five six seven")]
    metrics, _, _ = compute_metrics(references, ["One two, three four y five six seven!"], set())
    assert metrics["bleu4"] == pytest.approx((7 / 8 * 5 / 7 * 3 / 6 * 1 / 5) ** 0.25, rel=1e-6)
    assert metrics["bleu3"] == pytest.approx((7 / 8 * 5 / 7 * 3 / 6) ** (1 / 3), rel=1e-6)
    assert metrics["bleu2"] == pytest.approx((7 / 8 * 5 / 7) ** 0.5, rel=1e-6)


def test_rouge_l_by_hand():
    """The longest common subsequence is "a c d". The weight of recall is 1.2 squared."""
    metrics, _, _ = compute_metrics([example("a", "a c d e f")], ["a b c d"], set())
    precision, recall = 3 / 4, 3 / 5
    f_measure = (1 + 1.2**2) * precision * recall / (recall + 1.2**2 * precision)
    assert metrics["rouge_l"] == pytest.approx(f_measure)


def test_copies_and_empty_captions():
    references = [*REFERENCES, example("d", "a stadium")]
    captions = [*CAPTIONS[:2], CAPTIONS[0], ""]
    metrics, _, _ = compute_metrics(references, captions, copies={CAPTIONS[0], "something else"})
    assert metrics["copy_rate"] == 0.5
    assert metrics["unique_ratio"] == 0.75
    assert all(math.isfinite(value) for value in metrics.values())
    assert compute_metrics(references, [""] * 4, set())[0]["bleu4"] == pytest.approx(0, abs=1e-6)
