"""What is known of a time beside the value: columns of a table, and the calendar."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.timeseries.forecasting.corpora.segment import Segment


def known_rows(
    segment: Segment, count: int, columns: Sequence[str], calendar: Sequence[str]
) -> np.ndarray:
    """Return what is known of the first `count` times of a segment, float32 [count, covariates].

    Args:
        columns: names of the segment's covariates, which stand first; after the last time that has them
            they stay what they were.
        calendar: names of `zoo.timeseries.forecasting.time_index.CALENDAR`.

    Raises:
        ZooError: the calendar of a segment without times.
    """
    parts = []
    if columns:
        rows = np.array(segment.covariates, np.float32)
        parts.append(rows[np.minimum(np.arange(count), len(rows) - 1)])
    if calendar:
        if segment.clock is None:
            raise ZooError(
                f"{segment.id}: this model reads the {', '.join(calendar)} of each value: the file must "
                "have a column of times, such as `date`."
            )
        parts.append(segment.clock.calendar(calendar, 0, count))
    return np.concatenate(parts, axis=1)


def covariate_scales(rows: np.ndarray, columns: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Return `covariate_means` and `covariate_deviations` of rows [times, covariates].

    The calendar, which stands after the columns, is 0 or 1 and stays so.

    Raises:
        ZooError: a column is one number throughout.
    """
    size = len(columns)
    means, deviations = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
    means[:size] = rows[:, :size].mean(axis=0, dtype=np.float64)
    deviations[:size] = rows[:, :size].std(axis=0, dtype=np.float64)
    for name, deviation in zip(columns, deviations, strict=False):
        if not deviation:
            raise ZooError(f"The covariate {name!r} must differ: it is one number throughout.")
    return {
        "covariate_means": tuple(means.tolist()),
        "covariate_deviations": tuple(deviations.tolist()),
    }
