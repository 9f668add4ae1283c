"""Time indices: equally spaced times, read from a column, checked, and continued into the future."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from zoo.common.core.errors import ZooError

# Calendar features of a time: the number of values, and a function from times to value numbers.
CALENDAR: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]] = {
    "hour": (24, lambda times: times.astype("M8[h]").astype(int) % 24),
    "weekday": (7, lambda times: (times.astype("M8[D]").astype(int) + 3) % 7),  # Monday is 0
    "month": (12, lambda times: times.astype("M8[M]").astype(int) % 12),
}
_UNITS = {4: "Y", 7: "M", 10: "D"}  # by the length of the text
_UNIT_NAMES = {"Y": "years", "M": "months", "D": "days", "s": "seconds"}


@dataclass(frozen=True)
class TimeIndex:
    """Equally spaced times.

    Args:
        start: the first time in ISO 8601. Its precision is the unit: "1949-01" has the unit month.
        step: number of units between two times.
        days: number of days added to each time, for days with a step of months: the day of the month.
            None for other times.
    """

    start: str
    step: int
    days: int | None = None

    def times(self, begin: int, count: int) -> np.ndarray:
        """Return times, datetime64 [count].

        Args:
            begin: number of the first time, from 0.
            count: number of times.
        """
        times = np.datetime64(self.start) + (begin + np.arange(count)) * self.step
        return times if self.days is None else times.astype("M8[D]") + self.days

    def shift(self, count: int) -> TimeIndex:
        """Return the time index that begins `count` steps later."""
        return TimeIndex(str(np.datetime64(self.start) + count * self.step), self.step, self.days)

    def calendar(self, names: Sequence[str], begin: int, count: int) -> np.ndarray:
        """Return calendar features of times, one-hot encoded, float32 [count, features].

        Args:
            names: names in `CALENDAR`.
            begin: number of the first time, from 0.
            count: number of times.
        """
        times = self.times(begin, count)
        parts = [np.zeros((count, 0), np.float32)]
        for name in names:
            size, number = CALENDAR[name]
            parts.append(np.eye(size, dtype=np.float32)[number(times)])
        return np.concatenate(parts, axis=1)


def parse_time(text: str) -> str:
    """Return a time in ISO 8601, with the precision of the text: a year, month, day or second.

    A time with a time zone is converted to UTC.

    Raises:
        ZooError: the text is not a time.
    """
    text = text.strip()
    if re.fullmatch(r"\d{1,4}", text):
        return text.zfill(4)
    if re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", text):
        return text
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ZooError(
            "a time must be written like 1949, 1949-01, 1949-01-31 or 1949-01-31 12:00. "
            f"Received: {text[:80]!r}"
        ) from None
    if time.tzinfo:
        time = time.astimezone(UTC).replace(tzinfo=None)
    precise = time.isoformat(timespec="seconds")
    return precise if time.time() != time.min.time() or ":" in text else precise[:10]


def find_time_index(times: Sequence[str], where: Sequence[str]) -> TimeIndex | None:
    """Return the time index of times, or None for fewer than two times.

    Args:
        times: times as `parse_time` returns them.
        where: position of each time, for error messages.

    Raises:
        ZooError: the times are not in ascending order or not equally spaced. The message has the first
            such position.
    """
    if len(times) < 2:
        return None
    unit = _UNITS.get(max(map(len, times)), "s")
    stamps = np.array(times, dtype=f"M8[{unit}]")
    steps = np.diff(stamps).astype(int)
    for i in np.flatnonzero(steps <= 0)[:1]:
        problem = "occurs twice" if not steps[i] else f"is before the previous time {times[i]}"
        raise ZooError(
            f"{where[i + 1]}: times must be in ascending order. Received: {times[i + 1]}, which "
            f"{problem}."
        )
    if unit == "D" and (time_index := _monthly(stamps)):
        return time_index
    usual = Counter(steps.tolist()).most_common(1)[0][0]
    for i in np.flatnonzero(steps != usual)[:1]:
        raise ZooError(
            f"{where[i + 1]}: times must be equally spaced, here by {usual} {_UNIT_NAMES[unit]}; a "
            "missing measurement must be a row without a value. "
            f"Received: {times[i + 1]} after {times[i]}."
        )
    return TimeIndex(str(stamps[0]), usual)


def _monthly(stamps: np.ndarray) -> TimeIndex | None:
    """Return the time index of days with the same number in their months, or last in their months."""
    for shift in (0, 1):  # the day after the last day of a month is a first day
        months = (stamps + shift).astype("M8[M]")
        days = (stamps + shift - months.astype("M8[D]")).astype(int)
        steps = np.diff(months).astype(int)
        if len(set(days)) == len(set(steps)) == 1 and steps[0] > 0:
            return TimeIndex(str(months[0]), int(steps[0]), int(days[0]) - shift)
    return None
