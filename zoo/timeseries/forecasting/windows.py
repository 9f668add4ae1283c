"""Windows of a series: the past values of a forecast, and its targets."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.timeseries.forecasting.corpora.segment import Segment


@dataclass(frozen=True)
class Windows:
    """The windows of a segment, in order of time.

    Args:
        inputs: `series` float64 [windows, context], without missing values; and, if the model has
            covariates, `covariates` float32 [windows, context + steps ahead, covariates].
        targets: float64 [windows, horizon], NaN for a value that is missing or after the segment's end.
        first: int [windows], number of the first target in the segment, from 1.
    """

    inputs: dict[str, np.ndarray]
    targets: np.ndarray
    first: np.ndarray


def fill_missing(values: np.ndarray, season: int) -> np.ndarray:
    """Return values with each NaN replaced by the value one season before.

    In the first season, a NaN is replaced by the value before it; at the start, by the first value that
    is not missing. No other value depends on later ones.

    Args:
        values: float [values].
        season: number of steps in a season.
    """
    filled = values.copy()
    observed = values[~np.isnan(values)]
    for i in np.flatnonzero(np.isnan(values)):
        filled[i] = filled[i - season] if i >= season else filled[i - 1] if i else observed[0]
    return filled


def cut_windows(
    segment: Segment,
    context: int,
    horizon: int,
    stride: int,
    season: int,
    covariates: np.ndarray | None,
) -> Windows:
    """Return the windows of a segment.

    Args:
        segment: the values, and the history before them.
        context: number of values in a window.
        horizon: number of targets after a window.
        stride: number of steps between two windows.
        season: see `fill_missing`.
        covariates: float32 [times, covariates] of history, values, and the steps ahead of a window; None
            for a model without covariates.

    Raises:
        ZooError: the segment has no value after a whole window.
    """
    values = np.array([*segment.history, *segment.values], np.float64)
    origins = np.arange(max(len(segment.history), context), len(values), stride)
    if not len(origins):
        raise ZooError(
            f"{segment.id}: it must have more than {context} values. Received: {len(values)}."
        )
    sliding = np.lib.stride_tricks.sliding_window_view
    filled = fill_missing(values, season)
    inputs = {"series": sliding(filled, context)[origins - context]}
    if covariates is not None:
        span = len(covariates) - len(values)
        rows = sliding(covariates, context + span, axis=0)[origins - context]
        inputs["covariates"] = rows.transpose(0, 2, 1)
    after = np.concatenate([values, np.full(horizon, np.nan)])
    targets = sliding(after, horizon)[origins]
    return Windows(inputs, targets, origins - len(segment.history) + 1)
