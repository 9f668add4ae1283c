"""Test metrics: directions, the best epoch, targets."""

import math
import sys

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import (
    DIRECTIONS,
    HIGHER,
    best,
    compare,
    is_better,
    is_perfect,
    overfit_target,
    perplexity,
    reaches,
)

NAN = float("nan")
FIXED = {"wer", "cer", "per", "accuracy", "f1_macro", "auc", "perplexity", "nats_per_char"} | {
    *("bleu", "bleu4", "cider", "spearman_ws353", "nmse", "smape")
}


def history(metric: str, *values: float) -> list[dict[str, float]]:
    return [{"epoch": epoch, metric: value} for epoch, value in enumerate(values, start=1)]


def test_fixed_names():
    assert set(DIRECTIONS) >= FIXED


@pytest.mark.parametrize(
    ("metric", "values", "epoch"),
    [
        ("wer", (0.5, 0.25, 0.75), 2),
        ("accuracy", (0.5, 0.25, 0.75), 3),
        ("cider", (0.1, 0.9, 0.9), 2),  # the first of equals
        ("nmse", (0.1, 0.1), 1),
        ("perplexity", (NAN, 120.0, NAN), 2),
        ("accuracy", (NAN, 0.0), 2),
        ("wer", (NAN, NAN), 1),
        ("bleu4", (0.3,), 1),
    ],
)
def test_best_epoch(metric, values, epoch):
    assert best(history(metric, *values), metric)["epoch"] == epoch


@pytest.mark.parametrize(
    ("metric", "low", "high", "expected"),
    [
        ("accuracy", 0.01, 0.05, "better"),
        ("accuracy", -0.05, -0.01, "worse"),
        ("accuracy", -0.01, 0.05, "equal"),
        ("nmse", 0.01, 0.05, "worse"),
        ("nmse", -0.05, -0.01, "better"),
        ("nmse", 0.0, 0.0, "equal"),
    ],
)
def test_comparison_by_the_interval_of_a_difference(metric, low, high, expected):
    assert compare(metric, low, high) == expected


def test_is_better():
    assert is_better("wer", 0.1, than=0.2)
    assert is_better("accuracy", 0.2, than=0.1)
    assert not is_better("wer", 0.1, than=0.1)
    assert not is_better("wer", NAN, than=0.1)
    assert is_better("wer", 1e9, than=NAN)
    assert not is_better("wer", NAN, than=NAN)
    with pytest.raises(ZooError, match=r"no metric 'werr'\. Did you mean 'wer'"):
        is_better("werr", 0.1, than=0.2)


def test_reaches_and_is_perfect():
    assert reaches("wer", 0.02, 0.02)
    assert reaches("wer", 0.0, 0.02)
    assert not reaches("wer", 0.021, 0.02)
    assert reaches("accuracy", 0.99, 0.98)
    assert not reaches("accuracy", 0.97, 0.98)
    assert not reaches("accuracy", NAN, 0.98)
    assert is_perfect("wer", 0)
    assert is_perfect("accuracy", 1.0)
    assert not is_perfect("accuracy", 0)
    assert not is_perfect("wer", 1)


@pytest.mark.parametrize("metric", DIRECTIONS)
def test_overfit_targets_are_reachable(metric):
    """A perfect model reaches the target, and one that has learned nothing does not."""
    target = overfit_target(metric)
    perfect, nothing = {
        "perplexity": (1.0, 10.0),
        "nats_per_char": (0.0, 1.0),
        "nats_per_point": (-2.0, 2.0),
    }.get(metric, (1.0, 0.5) if DIRECTIONS[metric] == HIGHER else (0.0, 0.5))
    assert reaches(metric, perfect, target)
    assert not reaches(metric, nothing, target)


def test_perplexity_of_diverged_weights():
    """An overflow gives the largest number instead of an error."""
    assert perplexity(0.0) == 1
    assert perplexity(math.log(7)) == pytest.approx(7)
    assert perplexity(1e5) == pytest.approx(sys.float_info.max)
    assert perplexity(math.inf) == perplexity(1e5)
