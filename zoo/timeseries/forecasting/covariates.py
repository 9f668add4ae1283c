"""Covariates: columns of a table and calendar features that are known for future times too."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.timeseries.forecasting.corpora.segment import Segment
from zoo.timeseries.forecasting.forecaster import offset


def covariate_rows(
    segment: Segment, count: int, columns: Sequence[str], calendar: Sequence[str]
) -> np.ndarray:
    """Return the covariates of the first `count` times of a segment, float64 [count, covariates].

    Args:
        segment: values with covariates.
        count: number of times. The last row of the columns is repeated if it has fewer rows.
        columns: names of the segment's covariates. They come first.
        calendar: names in `zoo.timeseries.forecasting.time_index.CALENDAR`.

    Raises:
        ZooError: the segment has no times for the calendar features.
    """
    parts = []
    if columns:
        rows = np.array(segment.covariates, np.float64)
        parts.append(rows[np.minimum(np.arange(count), len(rows) - 1)])
    if calendar:
        if segment.time_index is None:
            raise ZooError(
                f"{segment.id}: this model uses the {', '.join(calendar)} of each value: the input must "
                "have times, such as a column `date`."
            )
        parts.append(segment.time_index.calendar(calendar, 0, count))
    return np.concatenate(parts, axis=1)


def covariate_scales(rows: np.ndarray, columns: Sequence[str]) -> dict[str, tuple[float, ...]]:
    """Return the arguments `covariate_*` of `Forecaster` for rows [times, covariates].

    Calendar features are 0 or 1 and are not scaled.

    Args:
        rows: the columns first, then the calendar features.
        columns: names of the columns.

    Raises:
        ZooError: a column is constant.
    """
    size = len(columns)
    means, deviations = np.zeros(rows.shape[1]), np.ones(rows.shape[1])
    means[:size] = rows[:, :size].mean(axis=0)
    deviations[:size] = rows[:, :size].std(axis=0)
    for name, deviation, mean in zip(columns, deviations, means, strict=False):
        if not deviation:
            raise ZooError(f"The covariate {name!r} must not be constant. Received: only {mean:g}.")
    return {
        "covariate_means": tuple(means.tolist()),
        "covariate_deviations": tuple(deviations.tolist()),
        "covariate_offsets": tuple(offset(means, deviations).tolist()),
    }
