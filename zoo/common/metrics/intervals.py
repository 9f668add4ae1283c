"""Prediction intervals of forecasts, measured on the errors of forecasts of the dev split.

Split conformal prediction (Vovk, Gammerman & Shafer, "Algorithmic learning in a random world", 2005):
of n absolute errors in ascending order, the half width of the interval of a level is the error with
the number ceil((n + 1) level). A new error of the same distribution is at most this with at least the
probability `level`. Each forecast step has its own errors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.common.core.errors import ZooError

LEVELS = (0.5, 0.8, 0.9, 0.95)
INTERVALS_FILE = "intervals.json"


@dataclass(frozen=True)
class Intervals:
    """Half widths of prediction intervals, in units of `Forecaster.scale`.

    Without widths, the intervals are not measured and their truth value is False.

    Args:
        widths: for each of `LEVELS`, the half width of each forecast step. A level may have fewer steps
            than others, because a higher level needs more errors per step.
    """

    widths: tuple[tuple[float, ...], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.widths)

    @classmethod
    def of(cls, errors: np.ndarray) -> Intervals:
        """Return the intervals for forecast errors.

        Args:
            errors: float [forecasts, steps], NaN where a target is missing.
        """
        columns = [np.sort(column[np.isfinite(column)]) for column in np.abs(errors).T]
        return cls(tuple(tuple(_widths(columns, level)) for level in LEVELS))

    def half_widths(self, level: float, steps: int) -> np.ndarray:
        """Return the half width of each forecast step, float64 [steps].

        Args:
            level: one of `LEVELS`.
            steps: number of forecast steps.

        Raises:
            ZooError: the dev split had too few forecasts of this length.
        """
        widths = self.widths[LEVELS.index(level)]
        if len(widths) < steps:
            raise ZooError(
                f"horizon must be at most {len(widths)} with an interval of {level}. A longer dev "
                f"split gives longer intervals: see training.dev_fraction. Received: {steps}."
            )
        return np.array(widths[:steps])

    def to_text(self) -> str:
        """Return the content of `INTERVALS_FILE`."""
        widths = {
            str(level): [float(f"{width:.6g}") for width in row]
            for level, row in zip(LEVELS, self.widths, strict=True)
        }
        return json.dumps(widths) + "\n"

    @classmethod
    def from_text(cls, text: str, path: Path) -> Intervals:
        """Return the intervals in a text that `to_text` wrote.

        Args:
            text: content of the file.
            path: the file, for error messages.

        Raises:
            ZooError: the text is corrupt.
        """
        try:
            rows = json.loads(text)
            widths = tuple(tuple(float(width) for width in rows[str(level)]) for level in LEVELS)
        except (ValueError, KeyError, TypeError):
            widths = ()
        if not widths or not all(
            np.isfinite(row).all() and min(row, default=0) >= 0 for row in widths
        ):
            raise ZooError(
                f"{path} is corrupt: it must have a list of widths for each of {LEVELS}."
            )
        return cls(widths)


def _widths(columns: list[np.ndarray], level: float) -> Iterator[float]:
    """Yield the half width of each step, up to the first step with too few errors.

    Args:
        columns: the absolute errors of each step in ascending order.
        level: probability of the interval.
    """
    for sizes in columns:
        number = math.ceil((len(sizes) + 1) * level)
        if number > len(sizes):
            return
        yield float(sizes[number - 1])
