"""Dates in the formats that people write, and times that are missing."""

import math

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.timeseries.forecasting.columns import Columns
from zoo.timeseries.forecasting.data import Series
from zoo.timeseries.forecasting.dates import FORMATS, find_format, parse_date
from zoo.timeseries.forecasting.tables import read_table, read_tables


@pytest.fixture
def write(tmp_path):
    def write(*lines):
        path = tmp_path / "series.csv"
        path.write_text("\n".join(lines) + "\n", "utf-8")
        return path

    return write


@pytest.mark.parametrize(
    ("texts", "iso"),
    [
        (("30.01.2026", "31.01.2026"), "2026-01-31"),
        (("30/01/2026", "31/01/2026"), "2026-01-31"),
        (("1/30/2026", "1/31/2026"), "2026-01-31"),
        (("11/12/2026", "12/12/2026", "13/12/2026"), "2026-12-13"),
        (("2026/01/30", "2026/01/31"), "2026-01-31"),
        (("30 January 2026", "31 January 2026"), "2026-01-31"),
        (("1 May 2026", "2 May 2026"), "2026-05-02"),
        (("Jan 30, 2026", "Jan 31, 2026"), "2026-01-31"),
        (("30-Jan-2026", "31-Jan-2026"), "2026-01-31"),
        (("30.01.2026 22:00", "30.01.2026 23:30"), "2026-01-30T23:30:00"),
        (("1/31/2026 11:00 PM", "1/31/2026 11:30 PM"), "2026-01-31T23:30:00"),
        (("Jan 2026", "Feb 2026"), "2026-02"),
        (("01/2026", "02/2026"), "2026-02"),
        (("2026-01-30", "2026-01-31"), "2026-01-31"),
    ],
)
def test_formats_are_recognized(texts, iso):
    assert parse_date(texts[-1], find_format(texts)) == iso


def test_a_format_in_doubt_must_be_given(write):
    lines = ("date,value", "01/02/2026,1", "02/02/2026,2", "03/02/2026,3")
    with pytest.raises(ZooError, match=r"may have the format %d/%m/%Y or %m/%d/%Y. State it with"):
        read_table(write(*lines), Columns())
    for date_format, second in (("%d/%m/%Y", "2026-02-02"), ("%m/%d/%Y", "2026-02")):
        table = read_table(write(*lines), Columns(date_format=date_format))
        assert str(table.time_index.times(1, 1)[0]).startswith(second)


def test_a_single_other_date_is_an_error_with_its_line(write):
    with pytest.raises(ZooError, match=r"line 3: a time must have the format %d.%m.%Y. Received"):
        read_table(write("date,value", "30.01.2026,1", "2026-01-31,2"), Columns())
    with pytest.raises(ZooError, match=r"line 2: a time must be written like 1949"):
        read_table(write("date,value", "soon,1", "later,2"), Columns())
    with pytest.raises(ZooError, match="first line must have the names of the columns"):
        read_table(write("30.01.2026,1", "31.01.2026,2"), Columns())


@pytest.mark.parametrize("date_format", ["%q", "day", "%d.%m.", "%"])
def test_invalid_formats_are_rejected(date_format):
    with pytest.raises(ZooError, match=r"data.date_format must be a format of Python's strptime"):
        Series(date_format=date_format)


def test_every_format_reads_what_it_writes():
    from datetime import datetime

    time = datetime(2026, 1, 31, 22, 30, 0)
    for date_format in FORMATS:
        assert parse_date(time.strftime(date_format), date_format).startswith("2026-01")


def test_a_column_of_times_with_another_name(write):
    path = write("Tag,sold", "30.01.2026,1", "31.01.2026,2")
    table = read_table(path, Columns("sold", time="Tag"))
    assert table.time_index.texts(2, 1) == ["2026-02-01"]
    with pytest.raises(ZooError, match="there is no column 'tag'"):
        read_table(path, Columns("sold", time="tag"))


@pytest.mark.parametrize(
    ("times", "values", "last"),
    [
        (("2026-01-01", "2026-01-02", "2026-01-05"), [1, 2, math.nan, math.nan, 3], "2026-01-06"),
        (("2026-01", "2026-02", "2026-04"), [1, 2, math.nan, 3], "2026-05"),
        (("2026-01-31", "2026-02-28", "2026-04-30"), [1, 2, math.nan, 3], "2026-05-31"),
        (
            ("2026-01-01 10:00", "2026-01-01 10:30", "2026-01-01 11:30"),
            [1, 2, math.nan, 3],
            "2026-01-01 12:00:00",
        ),
        (("2026-01-01", "2026-01-02", "2026-01-03"), [1, 2, 3], "2026-01-04"),
    ],
)
def test_missing_times_are_filled(write, capsys, times, values, last):
    path = write("date,value", *(f"{time},{i + 1}" for i, time in enumerate(times)))
    table = read_table(path, Columns(fill=True))
    np.testing.assert_array_equal(table.values["value"], values)
    assert table.time_index.texts(len(values), 1) == [last]
    missing = sum(map(math.isnan, values))
    assert (f"{missing} missing time(s) are read as rows" in capsys.readouterr().err) == (
        missing > 0
    )
    if missing:
        with pytest.raises(ZooError, match="or be added by --fill"):
            read_table(path, Columns())


def test_splits_and_series_are_filled(write):
    path = write(
        "unique_id,ds,y,split",
        *("a,2026-01-01,1,train", "a,2026-01-02,2,train", "a,2026-01-04,3,test"),
        *("b,2026-01-01,5,train", "b,2026-01-02,6,train"),
    )
    tables = read_tables(path, Columns(fill=True))
    np.testing.assert_array_equal(tables["a"].values["y"], [1, 2, math.nan, 3])
    assert tables["a"].splits == ["train", "train", "train", "test"]
    np.testing.assert_array_equal(tables["b"].values["y"], [5, 6])


@pytest.mark.parametrize(
    ("lines", "columns", "message"),
    [
        (
            ("2026-01-01 00:00,1,1", "2026-01-01 02:00,2,1", "2026-01-01 04:00,2,1"),
            {},
            None,
        ),
        (
            ("2026-01-01 00:00,1,1", "2026-01-01 02:00,2,1", "2026-01-01 05:00,3,1"),
            {},
            "here by 7200 seconds; --fill adds only whole steps",
        ),
        (
            ("2026-01-01,1,1", "2026-01-02,2,1", "2026-01-04,3,1"),
            {"covariates": ("price",)},
            "1 times are missing, and covariates cannot be filled",
        ),
        (
            ("2026-01-01 00:00:00,1,1", "2026-01-01 00:00:01,2,1", "2036-01-01 00:00:00,3,1"),
            {},
            "a series must have at most 2,097,152 times",
        ),
    ],
)
def test_what_cannot_be_filled(write, lines, columns, message):
    path = write("date,value,price", *lines)
    if message is None:
        assert len(read_table(path, Columns("value", fill=True)).values["value"]) == 3
        return
    with pytest.raises(ZooError, match=message):
        read_table(path, Columns("value", fill=True, **columns))
