"""Windows of a series: the values that a forecast is made from, and those that it is of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.timeseries.forecasting.corpora.segment import Segment


@dataclass(frozen=True)
class Windows:
    """The windows of a segment, in order of time.

    inputs: dict. `series` float32 [windows, context], without missing values; and `covariates` float32
        [windows, context + steps ahead, covariates] where the model reads them.
    targets: float32 [windows, horizon]. NaN for a value that is missing, or after the segment's end.
    first: int [windows]. Which of the segment's values the first target is, counted from 1.
    """

    inputs: dict[str, np.ndarray]
    targets: np.ndarray
    first: np.ndarray


def fill_missing(values: np.ndarray, season: int) -> np.ndarray:
    """Return values [values] with the value one season before in the place of each NaN.

    Where there is none, the value before it stands in; at the start, the first one that is there. No
    value but that takes anything from after it.
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
        context, horizon: values of a window, and those after it that are its targets.
        stride: steps from one window to the next.
        season: see `fill_missing`.
        covariates: float32 [times, covariates] of history, values and at least as many times after them
            as a window has steps ahead; None where there are none.

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
    filled = fill_missing(values, season).astype(np.float32)
    inputs = {"series": sliding(filled, context)[origins - context]}
    if covariates is not None:
        span = len(covariates) - len(values)
        rows = sliding(covariates, context + span, axis=0)[origins - context]
        inputs["covariates"] = rows.transpose(0, 2, 1)
    after = np.concatenate([values, np.full(horizon, np.nan)]).astype(np.float32)
    targets = sliding(after, horizon)[origins]
    return Windows(inputs, targets, origins - len(segment.history) + 1)
