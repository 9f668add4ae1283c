"""Dates in other formats than ISO 8601: day first, month first, with points, or with names of months."""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from datetime import datetime

from zoo.common.core.errors import ZooError
from zoo.timeseries.forecasting.time_index import parse_time

_DAYS = (
    *("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d"),
    *("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%B %d %Y", "%b %d %Y"),
    *("%d. %B %Y", "%d. %b %Y", "%d-%b-%Y", "%d/%b/%Y"),
)
_CLOCKS = (" %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
# Formats that are recognized.
FORMATS = (
    *_DAYS,
    *(day + clock for day, clock in itertools.product(_DAYS, _CLOCKS)),
    *("%B %Y", "%b %Y", "%b-%Y", "%m/%Y", "%m.%Y"),
)


def check_format(date_format: str) -> str:
    """Return a format of dates.

    Raises:
        ZooError: it is not a format of `datetime.strptime`, or has no year.
    """
    try:
        datetime.strptime(datetime(2001, 12, 31).strftime(date_format), date_format)
        valid = "%Y" in date_format or "%y" in date_format
    except ValueError:
        valid = False
    if not valid:
        raise ZooError(
            "data.date_format must be a format of Python's strptime with a year, such as %d.%m.%Y. "
            f"Received: {date_format[:80]!r}."
        )
    return date_format


def find_format(texts: Iterable[str]) -> str | None:
    """Return the only format in `FORMATS` that dates have; None if they are in ISO 8601, or in none.

    A date that does not have the format of those before it is ignored here.

    Raises:
        ZooError: they may have several formats, with days or with months first.
    """
    found: list[str] = []
    example = ""
    for text in texts:
        if not found and _is_iso(text):
            return None
        matching = [each for each in found or FORMATS if _parsed(text, each)]
        found, example = matching or found, example or text
        if len(found) == 1:
            return found[0]
    if len({_parsed(example, each) for each in found}) > 1:
        raise ZooError(
            f"the dates may have the format {' or '.join(found)}. State it with --date-format. "
            f"Received: {example!r}"
        )
    return found[0] if found else None


def is_date(text: str) -> bool:
    """Return whether a text is a date in one of `FORMATS`."""
    return any(_parsed(text, each) for each in FORMATS)


def parse_date(text: str, date_format: str | None) -> str:
    """Return a time in ISO 8601, with the precision of its format.

    Args:
        text: the time.
        date_format: its format; None for ISO 8601.

    Raises:
        ZooError: the text does not have the format.
    """
    if date_format is None:
        return parse_time(text)
    time = _parsed(text, date_format)
    if time is None:
        raise ZooError(f"a time must have the format {date_format}. Received: {text[:80]!r}")
    if any(clock in date_format for clock in ("%H", "%I", "%T", "%X", "%c")):
        return time.isoformat()
    has_day = any(day in date_format for day in ("%d", "%j", "%x", "%c", "%D", "%F"))
    has_month = any(month in date_format for month in ("%m", "%b", "%B"))
    return time.date().isoformat()[: 10 if has_day else 7 if has_month else 4]


def _parsed(text: str, date_format: str) -> datetime | None:
    try:
        return datetime.strptime(text.strip(), date_format)
    except ValueError:
        return None


def _is_iso(text: str) -> bool:
    try:
        return bool(parse_time(text))
    except ZooError:
        return False
