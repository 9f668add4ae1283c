"""Intervals around forecasts, out of the errors that forecasts of the dev part had.

Split conformal prediction (Vovk, Gammerman & Shafer, "Algorithmic learning in a random world", 2005): of
n errors in order of size, the one numbered ceil((n + 1) level) is the half width that a new error stays
within with at least the probability `level`, if it is of the same kind. Each step ahead has its own
errors.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.utils.files import read_text

LEVELS = (0.5, 0.8, 0.9, 0.95)
INTERVALS_FILE = "intervals.json"


@dataclass(frozen=True)
class Intervals:
    """Half widths of intervals, in units of `Forecaster.scale`.

    widths: tuple of tuple of float. For each of `LEVELS`, one for each step ahead. A level that needs
        more errors than there were of a step ends before that step.
    """

    widths: tuple[tuple[float, ...], ...]

    @classmethod
    def of(cls, errors: np.ndarray) -> Intervals:
        """Return the intervals of errors [forecasts, steps ahead], NaN where there was no target."""
        columns = [np.sort(column[np.isfinite(column)]) for column in np.abs(errors).T]
        return cls(tuple(tuple(_widths(columns, level)) for level in LEVELS))

    def half_widths(self, level: float, steps: int) -> np.ndarray:
        """Return the half widths of so many steps ahead, float64 [steps].

        Args:
            level: one of `LEVELS`.

        Raises:
            ZooError: dev had too few forecasts of so many steps.
        """
        widths = self.widths[LEVELS.index(level)]
        if len(widths) < steps:
            raise ZooError(
                f"Intervals of {level} are known up to a horizon of {len(widths)}: more need a "
                f"longer dev part, see training.dev_fraction. Received: {steps}."
            )
        return np.array(widths[:steps])

    def to_text(self) -> str:
        """Return the text of `INTERVALS_FILE`."""
        widths = {
            str(level): [float(f"{width:.6g}") for width in row]
            for level, row in zip(LEVELS, self.widths, strict=True)
        }
        return json.dumps(widths) + "\n"

    @classmethod
    def read(cls, path: Path) -> Intervals:
        """Return the intervals that `to_text` gave.

        Raises:
            ZooError: the file is corrupt.
        """
        try:
            rows = json.loads(read_text(path))
            widths = tuple(tuple(float(width) for width in rows[str(level)]) for level in LEVELS)
        except (ValueError, KeyError, TypeError):
            widths = None
        if widths is None or not all(
            np.isfinite(row).all() and min(row, default=0) >= 0 for row in widths
        ):
            raise ZooError(
                f"{path} is corrupt: it must have a list of widths for each of {LEVELS}."
            )
        return cls(widths)


def _widths(columns: list[np.ndarray], level: float) -> Iterator[float]:
    """The half width of each step ahead, as far as there are errors enough, in order of size."""
    for sizes in columns:
        number = math.ceil((len(sizes) + 1) * level)
        if number > len(sizes):
            return
        yield float(sizes[number - 1])
