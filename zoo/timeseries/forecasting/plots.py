"""Plots of forecasts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.data import Item
from zoo.timeseries.forecasting.corpora.segment import Segment

# Limit of the subplots of a figure, one per series.
MAX_PLOTTED = 6
# Number of past values in a plot: this many times the horizon, and at least `MIN_PAST`.
PAST, MIN_PAST = 4, 40


def plot_forecast(item: Item, answer: dict[str, Any], path: Path) -> None:
    """Draw the end of each series and its forecast as a PNG file.

    Args:
        item: result of `zoo.timeseries.forecasting.data.Series.read_input`.
        answer: answer of the task `Forecasting` to it.
        path: the PNG file to write.
    """
    from zoo.common.utils.plots import figure, save

    names = item["names"][:MAX_PLOTTED]
    forecast = answer["forecast"]
    horizon = len(forecast if len(item["names"]) == 1 else forecast[names[0]])
    rows = answer.get("steps", [])
    picture = figure(figsize=(10, 3.5 * len(names)))
    for i, axes in enumerate(picture.subplots(len(names), squeeze=False)[:, 0]):
        segment = item["history"][i]
        values = forecast if len(item["names"]) == 1 else forecast[names[i]]
        past = min(len(segment.values), max(PAST * horizon, MIN_PAST))
        x = _axis(segment, past, horizon)
        axes.plot(x[:past], segment.values[-past:], color="tab:gray", label="series")
        axes.plot(
            x[past - 1 :],
            [segment.values[-1], *values],
            ".-",
            color="tab:red",
            markevery=slice(1, None),
            label="forecast",
        )
        steps = rows[i * horizon : (i + 1) * horizon]
        if steps and "low" in steps[0]:
            low, high = ([row[key] for row in steps] for key in ("low", "high"))
            axes.fill_between(
                x[past:], low, high, color="tab:red", alpha=0.2, lw=0, label="interval"
            )
        axes.set(xlabel="time" if segment.time_index else "step", ylabel=names[i])
        axes.set_title(f"{segment.id}: {horizon} steps ahead")
        axes.grid(alpha=0.3)
        axes.legend()
    save(picture, path)


def _axis(segment: Segment, past: int, horizon: int) -> np.ndarray:
    """Return the times of the last `past` values and of the forecast, or their numbers from 1."""
    begin = len(segment.values) - past
    if segment.time_index:
        return segment.time_index.times(begin, past + horizon).astype("M8[us]")
    return np.arange(begin, begin + past + horizon) + 1
