"""Time indices: read, rejected and continued."""

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.timeseries.forecasting.time_index import TimeIndex, find_times, parse_time


def time_index_of(*texts):
    where = [f"row {i}" for i in range(len(texts))]
    return find_times([parse_time(text) for text in texts], where)[0]


@pytest.mark.parametrize(
    ("texts", "after"),
    [
        (("1700", "1701", "1702"), ["1703", "1704"]),
        (("1949-11", "1949-12"), ["1950-01", "1950-02"]),
        (("1996-02-27", "1996-02-28"), ["1996-02-29", "1996-03-01"]),
        (("19580329", "19580405", "19580412"), ["1958-04-19", "1958-04-26"]),
        (("2020-01-01", "2020-02-01", "2020-03-01"), ["2020-04-01", "2020-05-01"]),
        (("2020-01-31", "2020-02-29", "2020-03-31"), ["2020-04-30", "2020-05-31"]),
        (("2019-12-31", "2020-12-31", "2021-12-31"), ["2022-12-31", "2023-12-31"]),
        (("2020-01-15", "2020-04-15", "2020-07-15"), ["2020-10-15", "2021-01-15"]),
        (("2020-01-01 23:00", "2020-01-01 23:30"), ["2020-01-02T00:00:00", "2020-01-02T00:30:00"]),
        (("2020-01-01T23:00+01:00", "2020-01-01T23:00Z"), ["2020-01-02T00:00:00"] * 1),
        (("2020-01-01 00:00", "2020-01-02 00:00"), ["2020-01-03T00:00:00"]),
        (("2020-01-31 00:00", "2020-02-29 00:00"), ["2020-03-31T00:00:00", "2020-04-30T00:00:00"]),
        (
            ("2020-01-01 00:00:00.2", "2020-01-01 00:00:00.4", "2020-01-01 00:00:00.6"),
            ["2020-01-01T00:00:00.800", "2020-01-01T00:00:01.000"],
        ),
        (
            ("2020-01-01 00:00:00.9", "2020-01-01 00:00:01.800001"),
            ["2020-01-01T00:00:02.700002"],
        ),
    ],
)
def test_times_are_continued(texts, after):
    time_index = time_index_of(*texts)
    assert [str(time) for time in time_index.times(len(texts), len(after))] == after
    later = time_index.shift(len(texts))
    assert [str(time) for time in later.times(0, len(after))] == after


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            ("2020-01-02", "2020-01-01"),
            "row 1: times must be in ascending order. .* is before the .* 2020-01-02",
        ),
        (("2020-01-01", "2020-01-01"), "row 1: times must be in ascending order. .* occurs twice"),
        (
            ("2020-01-01", "2020-01-02", "2020-01-04", "2020-01-05"),
            "row 2: times must be equally spaced, here by 1 days; .* 2020-01-04 after 2020-01-02",
        ),
        (("2020-01-31", "2020-02-28", "2020-03-31"), "row 2: times must be equally spaced"),
        (("31/01/2020",), "a time must be written like 1949, .* Received: '31/01/2020'"),
        (
            ("2020-01-01 00:00Z", "2020-01-01 01:00"),
            "row 1: all times must have a time zone, or none",
        ),
        (("2020-01-01 00:00:00.1234567",), "at most six decimal places"),
        (("2020-13",), "a time must be written like"),
        (("202٣",), "a time must be written like"),
        (("",), "a time must be written like"),
    ],
)
def test_invalid_times_are_rejected(texts, message):
    with pytest.raises(ZooError, match=message):
        time_index_of(*texts)


@pytest.mark.parametrize(
    ("zone", "texts", "after"),
    [
        # Local days and hours of a constant offset.
        (
            "",
            ("2026-03-01T00:00+09:00", "2026-03-02T00:00+09:00"),
            ["2026-03-03 00:00:00+09:00", "2026-03-04 00:00:00+09:00"],
        ),
        (
            "",
            ("2026-03-01T22:00+09:00", "2026-03-01T23:00+09:00"),
            ["2026-03-02 00:00:00+09:00", "2026-03-02 01:00:00+09:00"],
        ),
        (
            "",
            ("2026-01-31T00:00+09:00", "2026-02-28T00:00+09:00"),
            ["2026-03-31 00:00:00+09:00", "2026-04-30 00:00:00+09:00"],
        ),
        # Local days of Berlin, where summer begins on 29 March 2026.
        (
            "Europe/Berlin",
            ("2026-03-27T00:00+01:00", "2026-03-28T00:00+01:00"),
            ["2026-03-29 00:00:00+01:00", "2026-03-30 00:00:00+02:00"],
        ),
        (
            "Europe/Berlin",
            ("2026-03-28T00:00+01:00", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"),
            ["2026-03-31 00:00:00+02:00"],
        ),
        (
            "",
            ("2026-03-28T00:00+01:00", "2026-03-29T00:00+01:00", "2026-03-30T00:00+02:00"),
            ["2026-03-31 00:00:00"],
        ),
        # Hours of Berlin.
        (
            "Europe/Berlin",
            ("2026-03-29T00:00+01:00", "2026-03-29T01:00+01:00"),
            ["2026-03-29 03:00:00+02:00", "2026-03-29 04:00:00+02:00"],
        ),
        (
            "Europe/Berlin",
            ("2026-10-25T01:00+02:00", "2026-10-25T02:00+02:00"),
            ["2026-10-25 02:00:00+01:00", "2026-10-25 03:00:00+01:00"],
        ),
        (
            "",
            ("2026-03-29T01:00+01:00", "2026-03-29T03:00+02:00"),
            ["2026-03-29 04:00:00+02:00", "2026-03-29 05:00:00+02:00"],
        ),
    ],
)
def test_times_keep_their_time_zone(zone, texts, after):
    where = [f"row {i}" for i in range(len(texts))]
    time_index, _ = find_times([parse_time(text) for text in texts], where, zone)
    assert time_index.texts(len(texts), len(after)) == after
    assert time_index.shift(len(texts)).texts(0, len(after)) == after


def test_calendar_features_are_those_of_local_times():
    time_index = time_index_of("2026-03-01T00:00+09:00", "2026-03-01T01:00+09:00")
    np.testing.assert_array_equal(time_index.calendar(("hour",), 0, 3).argmax(axis=1), [0, 1, 2])


def test_unknown_time_zone_is_rejected():
    with pytest.raises(ZooError, match="The time zone 'Mars/Olympus' is unknown"):
        TimeIndex("2026-03-01T00:00:00", 3600, zone="Mars/Olympus").texts(0, 1)


def test_one_time_has_no_time_index():
    assert time_index_of("2020-01-01") is None


def test_calendar_features_are_one_hot():
    weekdays = TimeIndex("1996-03-18", 1).calendar(("weekday",), 0, 8)
    np.testing.assert_array_equal(weekdays.argmax(axis=1), [0, 1, 2, 3, 4, 5, 6, 0])  # a Monday
    np.testing.assert_array_equal(weekdays.sum(axis=1), 1)
    both = TimeIndex("1969-12-31T22:00:00", 3600).calendar(("hour", "month"), 1, 2)
    assert both.shape == (2, 36)
    np.testing.assert_array_equal(np.argwhere(both), [[0, 23], [0, 35], [1, 0], [1, 24]])
