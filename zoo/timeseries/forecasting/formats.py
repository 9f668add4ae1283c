"""Forecasts as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from zoo.common.core.formats import Format, csv_row


def csv_format(has_interval: bool) -> Format:
    """Return the CSV format: input, series, step, time, forecast and, with an interval, low and high.

    `series` is empty for an input with one series, `time` for an input without times.

    Args:
        has_interval: whether the answers have intervals.
    """
    columns = ["input", "series", "step", "time", "forecast"]
    columns += ["low", "high"] if has_interval else []

    def lines(answers: Iterable[dict[str, Any]]) -> Iterator[str]:
        yield ",".join(columns)
        for answer in answers:
            yield from (csv_row(row.get(name, "") for name in columns) for row in _rows(answer))

    return Format(".csv", lines)


def _rows(answer: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the steps of an answer; an empty list for an error."""
    if "error" in answer:
        return []
    steps = answer.get("steps") or [{"forecast": value} for value in answer["forecast"]]
    names = [row.get("series") for row in steps]
    return [
        {"input": answer["input"], "step": i - names.index(row.get("series")) + 1, **row}
        for i, row in enumerate(steps)
    ]
