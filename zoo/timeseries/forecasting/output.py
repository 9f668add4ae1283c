"""Forecasts as files: CSV, and a picture."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from zoo.common.core.formats import Format, csv_row
from zoo.timeseries.forecasting.corpora.segment import Segment

if TYPE_CHECKING:
    from zoo.common.core.data import Item
    from zoo.common.core.recipe import Recipe

# Of a picture: series, one above the other, and past values, as many times the horizon, at least.
MAX_PLOTTED = 6
PAST, LEAST_PAST = 4, 40


def csv_format(recipe: Recipe) -> Format:
    """Return the format CSV: input, series, step, time, forecast and, with an interval, low and high.

    `series` and `time` are empty where a file has one series, or no times.
    """
    columns = ["input", "series", "step", "time", "forecast"]
    columns += ["low", "high"] if recipe.decoder.interval else []

    def lines(answers: Iterable[dict[str, Any]]) -> Iterator[str]:
        yield ",".join(columns)
        for answer in answers:
            yield from (csv_row(row.get(name, "") for name in columns) for row in _rows(answer))

    return Format(".csv", lines)


def _rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """The steps of an answer; none of one that is an error."""
    if "error" in answer:
        return []
    steps = answer.get("steps") or [{"forecast": value} for value in answer["forecast"]]
    names = [row.get("series") for row in steps]
    return [
        {"input": answer["input"], "step": i - names.index(row.get("series")) + 1, **row}
        for i, row in enumerate(steps)
    ]


def plot_forecast(item: Item, answer: dict[str, Any], path: Path) -> None:
    """Draw the end of each series of an item, up to `MAX_PLOTTED`, and its forecast, as a PNG.

    Args:
        item: as `zoo.timeseries.forecasting.data.Series.read_input` gives it. answer: of the task `Forecasting`.
        path: of the picture.
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
        past = min(len(segment.values), max(PAST * horizon, LEAST_PAST))
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
        axes.set(xlabel="time" if segment.clock else "step", ylabel=names[i])
        axes.set_title(f"{segment.id}: {horizon} steps ahead")
        axes.grid(alpha=0.3)
        axes.legend()
    save(picture, path)


def _axis(segment: Segment, past: int, horizon: int) -> np.ndarray:
    """Where the last `past` values and those forecast stand: their times, or their numbers from 1."""
    begin = len(segment.values) - past
    if segment.clock:
        return segment.clock.times(begin, past + horizon).astype("M8[s]")
    return np.arange(begin, begin + past + horizon) + 1
