"""Times at equal distances: read from a column, checked, and continued into the future."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from zoo.common.core.errors import ZooError

# A calendar's features of a time: how many there are of each, and the number of a time among them.
CALENDAR = {
    "hour": (24, lambda times: times.astype("M8[h]").astype(int) % 24),
    "weekday": (7, lambda times: (times.astype("M8[D]").astype(int) + 3) % 7),  # Monday is 0
    "month": (12, lambda times: times.astype("M8[M]").astype(int) % 12),
}
_FORMS = {4: "Y", 7: "M", 10: "D"}  # by the length of the text


@dataclass(frozen=True)
class Clock:
    """Times at equal distances.

    start: str. The first one, in ISO 8601; its precision is the unit: "1949-01" goes by months.
    step: int. Units from one time to the next.
    days: int. Days that are added to each, where times are days and go by months: the day of the month;
        None elsewhere.
    """

    start: str
    step: int
    days: int | None = None

    def times(self, begin: int, count: int) -> np.ndarray:
        """Return `count` times, datetime64, the first one being the one numbered `begin`."""
        times = np.datetime64(self.start) + (begin + np.arange(count)) * self.step
        return times if self.days is None else times.astype("M8[D]") + self.days

    def after(self, count: int) -> Clock:
        """Return the clock that begins so many steps later."""
        return Clock(str(np.datetime64(self.start) + count * self.step), self.step, self.days)

    def calendar(self, names: Sequence[str], begin: int, count: int) -> np.ndarray:
        """Return features of times, float32 [count, features]: for each name of `CALENDAR` a 1 among
        zeros."""
        times = self.times(begin, count)
        parts = [np.zeros((count, 0), np.float32)]
        for name in names:
            size, number = CALENDAR[name]
            parts.append(np.eye(size, dtype=np.float32)[number(times)])
        return np.concatenate(parts, axis=1)


def parse_time(text: str) -> str:
    """Return a time in ISO 8601, as precise as it is written: a year, a month, a day or a second.

    A time with a time zone becomes UTC.

    Raises:
        ZooError: it is none.
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


def find_clock(times: Sequence[str], where: Sequence[str]) -> Clock | None:
    """Return the clock that gives times, or None for fewer than two, which tell no distance.

    Args:
        times: as `parse_time` gives them. where: what an error calls the place of each.

    Raises:
        ZooError: they do not rise, or are not at equal distances; with the first such place.
    """
    if len(times) < 2:
        return None
    unit = _FORMS.get(max(map(len, times)), "s")
    stamps = np.array(times, dtype=f"M8[{unit}]")
    steps = np.diff(stamps).astype(int)
    for i in np.flatnonzero(steps <= 0)[:1]:
        word = "stands twice" if not steps[i] else f"is before {times[i]}, the one above it"
        raise ZooError(f"{where[i + 1]}: times must rise. Received: {times[i + 1]}, which {word}.")
    if unit == "D" and (clock := _monthly(stamps)):
        return clock
    usual = Counter(steps.tolist()).most_common(1)[0][0]
    for i in np.flatnonzero(steps != usual)[:1]:
        name = {"Y": "years", "M": "months", "D": "days", "s": "seconds"}[unit]
        raise ZooError(
            f"{where[i + 1]}: times must be at equal distances, here {usual} {name}; what was not "
            f"measured is a row without a value. Received: {times[i + 1]} after {times[i]}."
        )
    return Clock(str(stamps[0]), usual)


def _monthly(stamps: np.ndarray) -> Clock | None:
    """The clock of days that are all of one number in their months, or all last of their months."""
    for shift in (0, 1):  # the day after the last one of a month is a first one
        months = (stamps + shift).astype("M8[M]")
        days = (stamps + shift - months.astype("M8[D]")).astype(int)
        steps = np.diff(months).astype(int)
        if len(set(days)) == len(set(steps)) == 1 and steps[0] > 0:
            return Clock(str(months[0]), int(steps[0]), int(days[0]) - shift)
    return None
