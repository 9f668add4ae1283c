"""The names of metrics, which way each is better, and the best epoch by one."""

from __future__ import annotations

import math
import sys

from zoo.common.core.errors import ZooError, nearest

HIGHER, LOWER = "higher", "lower"

# Every metric of the zoo by its name. Rates are fractions.
DIRECTIONS = {
    "wer": LOWER,  # word error rate
    "cer": LOWER,  # character error rate
    "per": LOWER,  # phoneme error rate
    "accuracy": HIGHER,
    "f1_macro": HIGHER,
    "frame_accuracy": HIGHER,  # share of a clip's frames answered right, in the mean over clips
    "first_frame_accuracy": HIGHER,  # of what is answered at the first frame of a clip
    "auc": HIGHER,  # area under the ROC curve
    "perplexity": LOWER,
    "nats_per_char": LOWER,
    "nats_per_point": LOWER,  # negative log-density of a point of pen strokes; it may be below 0
    "bleu": HIGHER,  # sacreBLEU of a corpus
    "bleu_lowercase": HIGHER,  # the same without case
    "bleu1": HIGHER,
    "bleu2": HIGHER,
    "bleu3": HIGHER,
    "bleu4": HIGHER,
    "rouge_l": HIGHER,  # F-measure of the longest common subsequence of words
    "cider": HIGHER,
    "copy_rate": LOWER,  # share of captions that are training captions word for word
    "unique_ratio": HIGHER,  # different captions as a share of all
    # share of examples whose text is among the first so many for its input, and the other way round
    **{f"recall_at_{k}_{wanted}": HIGHER for wanted in ("text", "image") for k in (1, 5, 10)},
    "spearman_ws353": HIGHER,
    "nmse": LOWER,  # mean squared error over the variance of the targets
    "smape": LOWER,
}

# The value at which a few examples count as learnt by heart, where it is not that of a rate.
OVERFIT_TARGETS = {
    # A text cannot be known before it has begun: its first tokens keep it above 1.
    "perplexity": 1.2,
    "nats_per_char": 0.2,
    # A density has no highest value; a model that knows nothing of the past is above 2.
    "nats_per_point": -1.0,
}


def overfit_target(metric: str) -> float:
    """Return the value of a metric at which `--overfit` counts a few examples as learnt."""
    return OVERFIT_TARGETS.get(metric, 0.98 if DIRECTIONS[metric] == HIGHER else 0.02)


def perplexity(nats: float) -> float:
    """Return the perplexity of a mean negative log-probability in nats; where that is more than a number
    can hold, such as of weights that flew away, the largest number."""
    return math.exp(min(nats, math.log(sys.float_info.max) - 1e-9))


def is_better(metric: str, value: float, than: float) -> bool:
    """Return whether a value of a metric is better than another; NaN is better than nothing.

    Raises:
        ZooError: there is no such metric.
    """
    if metric not in DIRECTIONS:
        raise ZooError(f"There is no metric {metric!r}. {nearest(metric, DIRECTIONS)}")
    if math.isnan(than):
        return not math.isnan(value)
    return value > than if DIRECTIONS[metric] == HIGHER else value < than


def best(history: list[dict[str, float]], metric: str) -> dict[str, float]:
    """Return the row of a run's history with the best value of a metric; of equals the first.

    Args:
        history: rows, one an epoch, each with the metric. At least one.
        metric: a name of `DIRECTIONS`.
    """
    first, *later = history
    for row in later:
        if is_better(metric, row[metric], than=first[metric]):
            first = row
    return first


def reaches(metric: str, value: float, target: float) -> bool:
    """Return whether a value of a metric is as good as a target, or better."""
    return value == target or is_better(metric, value, than=target)


def is_perfect(metric: str, value: float) -> bool:
    """Return whether a value cannot be bettered: no errors, or all that is there."""
    return value == (1 if DIRECTIONS[metric] == HIGHER else 0)
