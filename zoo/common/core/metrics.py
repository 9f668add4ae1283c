"""Metrics: their names and directions, and the best epoch by a metric."""

from __future__ import annotations

import math
import sys

from zoo.common.core.errors import ZooError, nearest

HIGHER, LOWER = "higher", "lower"
# Results of a comparison with another model.
BETTER, EQUAL, WORSE = "better", "equal", "worse"

# All metrics by name. Rates are fractions.
DIRECTIONS = {
    "wer": LOWER,  # word error rate
    "cer": LOWER,  # character error rate
    "per": LOWER,  # phoneme error rate
    "accuracy": HIGHER,
    "f1_macro": HIGHER,
    "frame_accuracy": HIGHER,  # share of correct frames of a clip, averaged over clips
    "first_frame_accuracy": HIGHER,  # accuracy of the first frame of each clip
    "cross_entropy": LOWER,  # negative log-probability of the true class, in nats
    "auc": HIGHER,  # area under the ROC curve
    "perplexity": LOWER,
    "nats_per_char": LOWER,
    "nats_per_point": LOWER,  # negative log-density per point of pen strokes; may be negative
    "bleu": HIGHER,  # sacreBLEU of a corpus
    "bleu_lowercase": HIGHER,  # the same, case-insensitive
    "bleu1": HIGHER,
    "bleu2": HIGHER,
    "bleu3": HIGHER,
    "bleu4": HIGHER,
    "rouge_l": HIGHER,  # F-measure of the longest common subsequence of words
    "cider": HIGHER,
    "copy_rate": LOWER,  # share of captions that are equal to a training caption
    "unique_ratio": HIGHER,  # number of distinct captions divided by the number of captions
    # share of examples whose text is among the first k for its input, and vice versa
    **{f"recall_at_{k}_{wanted}": HIGHER for wanted in ("text", "image") for k in (1, 5, 10)},
    "spearman_ws353": HIGHER,
    "nmse": LOWER,  # mean squared error over the variance of the targets
    "smape": LOWER,
}

# Targets of `--overfit` for metrics that are not rates.
OVERFIT_TARGETS = {
    # The first tokens of a text cannot be predicted, so that the perplexity stays above 1.
    "perplexity": 1.2,
    "nats_per_char": 0.2,
    "cross_entropy": 0.1,
    # A density has no upper limit; a model that ignores the past is above 2.
    "nats_per_point": -1.0,
}


# Metrics of unlimited range, whose differences are relative.
_RELATIVE = ("perplexity", "nmse")
# Largest valid `export_loss` of an export with smaller weights: half a point of a rate, half a percent
# of a perplexity, which is 0.005 nats.
MAX_EXPORT_LOSS = 0.005


def export_loss(metric: str, value: float, reference: float) -> float:
    """Return by how much a value of a metric is worse than a reference; 0 if it is not worse.

    The difference is relative to the reference for a metric such as perplexity.
    """
    if not (math.isnan(value) or is_better(metric, reference, than=value)):
        return 0.0
    return abs(value - reference) / (abs(reference) if metric in _RELATIVE else 1.0)


def overfit_target(metric: str) -> float:
    """Return the value of a metric that `--overfit` must reach."""
    return OVERFIT_TARGETS.get(metric, 0.98 if DIRECTIONS[metric] == HIGHER else 0.02)


def perplexity(nats: float) -> float:
    """Return the perplexity of a mean negative log-probability in nats.

    The largest finite number replaces an overflow, for example for diverged weights.
    """
    return math.exp(min(nats, math.log(sys.float_info.max) - 1e-9))


def is_better(metric: str, value: float, than: float) -> bool:
    """Return whether a value of a metric is better than another. NaN is better than no value.

    Raises:
        ZooError: there is no such metric.
    """
    if metric not in DIRECTIONS:
        raise ZooError(f"There is no metric {metric!r}. {nearest(metric, DIRECTIONS)}")
    if math.isnan(than):
        return not math.isnan(value)
    return value > than if DIRECTIONS[metric] == HIGHER else value < than


def compare(metric: str, low: float, high: float) -> str:
    """Compare two models by an interval of the difference between their values of a metric.

    Args:
        metric: a key of `DIRECTIONS`.
        low: lower end of the interval of the first model's value minus that of the second.
        high: upper end.

    Returns:
        `EQUAL` if 0 is in the interval, else whether the first model is `BETTER` or `WORSE`.
    """
    if low <= 0 <= high:
        return EQUAL
    return BETTER if is_better(metric, low, than=0) else WORSE


def best(history: list[dict[str, float]], metric: str) -> dict[str, float]:
    """Return the row of a run's history with the best value of a metric; the first one of equals.

    Args:
        history: rows with the metric, one per epoch; at least one.
        metric: a key of `DIRECTIONS`.
    """
    first, *later = history
    for row in later:
        if is_better(metric, row[metric], than=first[metric]):
            first = row
    return first


def reaches(metric: str, value: float, target: float) -> bool:
    """Return whether a value of a metric is at least as good as a target."""
    return value == target or is_better(metric, value, than=target)


def is_perfect(metric: str, value: float) -> bool:
    """Return whether a value cannot be improved."""
    return value == (1 if DIRECTIONS[metric] == HIGHER else 0)
