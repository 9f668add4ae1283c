"""Time indices: equally spaced times, read from a column, checked, and continued into the future."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from zoneinfo import ZoneInfo

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import MAX_LINES

# Calendar features of a time: the number of values, and a function from times to value numbers.
CALENDAR: dict[str, tuple[int, Callable[[np.ndarray], np.ndarray]]] = {
    "hour": (24, lambda times: times.astype("M8[h]").astype(int) % 24),
    "weekday": (7, lambda times: (times.astype("M8[D]").astype(int) + 3) % 7),  # Monday is 0
    "month": (12, lambda times: times.astype("M8[M]").astype(int) % 12),
}
_UNITS = {4: "Y", 7: "M", 10: "D", 19: "s"}  # by the length of the text
_UNIT_NAMES = {
    "Y": "years",
    "M": "months",
    "D": "days",
    "s": "seconds",
    "ms": "milliseconds",
    "us": "microseconds",
}
_OFFSET = re.compile(r"[+-]\d\d:\d\d(:\d\d)?$")


@dataclass(frozen=True)
class TimeIndex:
    """Equally spaced times.

    Years, months and days are steps of the local calendar, whatever the length of a day is. Hours and
    smaller units are steps of time.

    Args:
        start: the first time in ISO 8601. Its precision is the unit: "1949-01" has the unit month. A
            start with hours is in UTC if there is a time zone.
        step: number of units between two times.
        days: number of days added to each time, for days with a step of months: the day of the month.
            None for other times.
        clock: time of day that is added to each day, for steps of months or days; empty for none.
        zone: time zone: "+09:00", or a name such as "Europe/Berlin"; empty for none.
    """

    start: str
    step: int
    days: int | None = None
    clock: str = ""
    zone: str = ""

    def times(self, begin: int, count: int) -> np.ndarray:
        """Return local times, datetime64 [count].

        Args:
            begin: number of the first time, from 0.
            count: number of times.

        Raises:
            ZooError: the time zone is unknown.
        """
        times = np.datetime64(self.start) + (begin + np.arange(count)) * self.step
        if self.days is not None:
            times = times.astype("M8[D]") + self.days
        if self.clock:
            times = times + (
                np.datetime64(f"1970-01-01T{self.clock}") - np.datetime64("1970-01-01")
            )
        elif self.zone:
            times = times + np.array(_utc_offsets(times, self.zone, are_utc=True), "m8[s]")
        return times

    def texts(self, begin: int, count: int) -> list[str]:
        """Return times as text, with their offset from UTC if the index has a time zone.

        Args:
            begin: number of the first time, from 0.
            count: number of times.

        Raises:
            ZooError: the time zone is unknown.
        """
        local = self.times(begin, count)
        texts = [str(time).replace("T", " ") for time in local]
        if not self.zone:
            return texts
        if self.clock:
            offsets = _utc_offsets(local, self.zone, are_utc=False)
        else:
            offsets = (local - replace(self, zone="").times(begin, count)).astype("m8[s]").tolist()
        return [text + _offset_text(offset) for text, offset in zip(texts, offsets, strict=True)]

    def shift(self, count: int) -> TimeIndex:
        """Return the time index that begins `count` steps later."""
        return replace(self, start=str(np.datetime64(self.start) + count * self.step))

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
    """Return a time in ISO 8601, with the precision of the text: a year, month, day, or second or less.

    A time with a time zone ends with its offset from UTC, such as "+01:00".

    Raises:
        ZooError: the text is not a time.
    """
    text = text.strip()
    if re.fullmatch(r"[0-9]{1,4}", text):
        return text.zfill(4)
    if re.fullmatch(r"[0-9]{4}-(0[1-9]|1[0-2])", text):
        return text
    try:
        time = datetime.fromisoformat(text)
    except ValueError:
        raise ZooError(
            "a time must be written like 1949, 1949-01, 1949-01-31 or 1949-01-31 12:00. "
            f"Received: {text[:80]!r}"
        ) from None
    if re.search(r"[.,][0-9]{6}0*[1-9]", text):
        raise ZooError(f"a time must have at most six decimal places. Received: {text[:80]!r}")
    has_clock = time.timetz() != time.min.time() or ":" in text
    return time.isoformat() if has_clock else time.date().isoformat()


def find_times(
    times: Sequence[str], where: Sequence[str], zone: str = "", fill: bool = False
) -> tuple[TimeIndex | None, np.ndarray | None]:
    """Return the time index of times, and the number of each time in it, from 0; or None and None.

    They are None for fewer than two times.

    Without the name of the time zone, times whose offset from UTC changes are continued as local times
    without an offset if they are whole days apart, and with the last offset if they are not.

    Args:
        times: times as `parse_time` returns them.
        where: position of each time, for error messages.
        zone: name of the time zone, if it is known.
        fill: whether times may be missing between others.

    Raises:
        ZooError: the times are not in ascending order or not equally spaced, or only some have a time
            zone. The message has the first such position.
    """
    if len(times) < 2:
        return None, None
    offsets = [match[0] if (match := _OFFSET.search(time)) else "" for time in times]
    for i, offset in enumerate(offsets):
        if bool(offset) != bool(offsets[0]):
            raise ZooError(
                f"{where[i]}: all times must have a time zone, or none. "
                f"Received: {times[i]} after {times[i - 1]}."
            )
    local = _stamps([t.removesuffix(offset) for t, offset in zip(times, offsets, strict=True)])
    stamps, clock = local, ""
    if offsets[0]:
        moved = {offset: _fixed(offset).utcoffset(None) for offset in set(offsets)}
        stamps = local - np.array([moved[offset] for offset in offsets], "m8[s]")
    _check_order(stamps, times, where)
    days = local.astype("M8[D]")
    clocks = local - days
    is_dated = np.datetime_data(local.dtype)[0] not in ("Y", "M")
    if is_dated and (clocks == clocks[0]).all() and (np.diff(days).astype(int) > 0).all():
        stamps = days
        if np.datetime_data(local.dtype)[0] != "D":
            clock = str(local[0])[11:]
        if not zone and len(set(offsets)) == 1:
            zone = offsets[0]
        if time_index := _monthly(days, fill):
            months = (days - (time_index.days or 0)).astype("M8[M]")
            return replace(time_index, clock=clock, zone=zone), _numbers(months, time_index.step)
    else:
        zone = zone or offsets[-1]
    step = _step(stamps, times, where, fill)
    return TimeIndex(str(stamps[0]), step, None, clock, zone), _numbers(stamps, step)


def _numbers(stamps: np.ndarray, step: int) -> np.ndarray:
    """Return the number of each time, int [times], from 0."""
    return (stamps - stamps[0]).astype(int) // step


def _stamps(texts: Sequence[str]) -> np.ndarray:
    """Return times of the largest precision that occurs, datetime64 [times]."""
    stamps = np.array(texts, dtype=f"M8[{_UNITS.get(max(map(len, texts)), 'us')}]")
    milliseconds = stamps.astype("M8[ms]")
    if np.datetime_data(stamps.dtype)[0] == "us" and (milliseconds == stamps).all():
        return milliseconds
    return stamps


def _check_order(stamps: np.ndarray, times: Sequence[str], where: Sequence[str]) -> None:
    steps = np.diff(stamps).astype(int)
    for i in np.flatnonzero(steps <= 0)[:1]:
        problem = "occurs twice" if not steps[i] else f"is before the previous time {times[i]}"
        raise ZooError(
            f"{where[i + 1]}: times must be in ascending order. Received: {times[i + 1]}, which "
            f"{problem}."
        )


def _step(stamps: np.ndarray, times: Sequence[str], where: Sequence[str], fill: bool) -> int:
    """Return the number of units between two times, which must be the same for all.

    With `fill`, larger steps must be multiples of the most frequent one.
    """
    steps = np.diff(stamps).astype(int)
    usual = Counter(steps.tolist()).most_common(1)[0][0]
    unit = _UNIT_NAMES[np.datetime_data(stamps.dtype)[0]]
    missing = "a missing measurement must be a row without a value, or be added by --fill"
    if fill:
        missing = "--fill adds only whole steps"
    for i in np.flatnonzero(steps % usual if fill else steps != usual)[:1]:
        raise ZooError(
            f"{where[i + 1]}: times must be equally spaced, here by {usual} {unit}; {missing}. "
            f"Received: {times[i + 1]} after {times[i]}."
        )
    if steps.sum() // usual >= MAX_LINES:
        raise ZooError(
            f"{where[-1]}: a series must have at most {MAX_LINES:,} times, here by {usual} {unit}. "
            f"Received: {times[-1]} after {times[0]}."
        )
    return usual


def _monthly(stamps: np.ndarray, fill: bool) -> TimeIndex | None:
    """Return the time index of days with the same number in their months, or last in their months."""
    for shift in (0, 1):  # the day after the last day of a month is a first day
        months = (stamps + shift).astype("M8[M]")
        days = (stamps + shift - months.astype("M8[D]")).astype(int)
        steps = np.diff(months).astype(int)
        step = int(steps.min())
        is_spaced = step > 0 and not (steps % step if fill else steps - step).any()
        if len(set(days)) == 1 and is_spaced:
            return TimeIndex(str(months[0]), step, int(days[0]) - shift)
    return None


# Time zones ---------------------------------------------------------------------------------------


def _fixed(offset: str) -> tzinfo:
    """Return the time zone of a constant offset such as "+09:00"."""
    zone = datetime.fromisoformat(f"1970-01-01T00:00{offset}").tzinfo
    assert zone is not None
    return zone


def _utc_offsets(times: np.ndarray, name: str, are_utc: bool) -> list[timedelta]:
    """Return the offset from UTC of each time.

    Args:
        times: datetime64 [times].
        name: an offset, or the name of a time zone.
        are_utc: whether the times are in UTC instead of local.
    """
    if name[0] in "+-":
        return [_fixed(name).utcoffset(None) or timedelta()] * len(times)
    try:
        zone = UTC if name == "UTC" else ZoneInfo(name)
    except (ValueError, KeyError, OSError):
        raise ZooError(
            f"The time zone {name!r} is unknown. Its data is in the package tzdata: pip install tzdata"
        ) from None
    moments = times.astype("M8[us]").tolist()
    if not all(isinstance(moment, datetime) for moment in moments):
        raise ZooError("A time with a time zone must be before the year 10000.")
    if are_utc:
        moments = [moment.replace(tzinfo=UTC).astimezone(zone) for moment in moments]
    else:
        moments = [moment.replace(tzinfo=zone) for moment in moments]
    return [moment.utcoffset() for moment in moments]


def _offset_text(offset: timedelta) -> str:
    """Return an offset from UTC as text, such as "+09:00"."""
    return datetime(1970, 1, 1, tzinfo=timezone(offset)).isoformat()[19:]
