"""Confidence in generated texts, and the warning about inputs that are unlike the training data.

The confidence of an answer is the geometric mean of the probabilities of its parts: the tokens of a
sentence, or the frames of a recording. It does not depend on the length of the answer. It is not the
probability that the answer is correct, but inputs unlike the training data have low values.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation

# Key of answers, and of the rows of an evaluation.
CONFIDENCE = "confidence"
# Share of the examples of dev below the threshold of the warning, and the least number of examples.
QUANTILE = 0.01
LEAST_EXAMPLES = 50


def confidence(log_probability: float, parts: float) -> float:
    """Return the confidence of an answer.

    Args:
        log_probability: the log-probability of the answer in nats.
        parts: number of its tokens or frames, or its duration, above 0.
    """
    return math.exp(min(log_probability / parts, 0.0))


def warned(answer: dict[str, Any], warn_below: float) -> dict[str, Any]:
    """Return an answer, with a `warning` if its confidence is below a threshold."""
    if answer[CONFIDENCE] >= warn_below:
        return answer
    warning = (
        f"this input is unlike the training data: the confidence {answer[CONFIDENCE]:.3f} is below "
        f"{warn_below:g}"
    )
    return answer | {"warning": warning}


def choose_warn_below(evaluation: Evaluation) -> tuple[dict[str, float], str]:
    """Return the result of `ThresholdChoice.choose_threshold`: a low quantile of the confidences.

    Args:
        evaluation: its rows have `CONFIDENCE`, except those of unreadable examples.

    Raises:
        ZooError: there are too few examples.
    """
    found = [row[CONFIDENCE] for row in evaluation.rows if CONFIDENCE in row]
    if len(found) < LEAST_EXAMPLES:
        raise ZooError(
            f"The threshold of a warning requires at least {LEAST_EXAMPLES} readable examples. "
            f"Received: {len(found)}."
        )
    threshold = round(float(np.quantile(found, QUANTILE)), 4)
    below = sum(value < threshold for value in found)
    line = f"warn_below {threshold:g}: confidence of {below} of {len(found)} examples is below it"
    return {"warn_below": threshold}, line
