"""The result of an evaluation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Evaluation:
    """The metrics of a model on examples.

    Args:
        metrics: values by metric name; rates are fractions. The monitored metric comes first.
        num_examples: number of evaluated examples.
        seconds: wall time of the evaluation.
        report: lines of text.
        rows: one JSON-ready dict per example: its id, reference, output and own metrics.
    """

    metrics: dict[str, float]
    num_examples: int
    seconds: float
    report: list[str] = field(default_factory=list)
    rows: list[dict[str, Any]] = field(default_factory=list)
