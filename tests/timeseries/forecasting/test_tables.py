"""Tables of series: named columns, times, missing values, Parquet, pandas, and model inputs."""

import math
import sys

import numpy as np
import pytest

import zoo
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.runtime.preset import load_preset
from zoo.timeseries.forecasting.columns import Columns
from zoo.timeseries.forecasting.corpora.segment import read_segments, table_segments
from zoo.timeseries.forecasting.inputs import read_input_tables
from zoo.timeseries.forecasting.tables import read_table
from zoo.timeseries.forecasting.time_index import TimeIndex

SALES = (
    "Date,price,sales,stock",
    "2026-11-01,1.5,10,7",
    "2026-11-02,2.5,,8",
    "2026-11-03,1.5,12,NaN",
    "2026-11-04,2.0,,",
)


def test_each_column_of_numbers_is_a_series(write):
    table = read_table(write(*SALES), Columns())
    assert list(table.values) == ["price", "sales", "stock"]
    np.testing.assert_array_equal(table.values["sales"], [10, math.nan, 12, math.nan])
    assert table.time_index == TimeIndex("2026-11-01", 1)
    assert table.covariates.size == 0


def test_target_has_covariates(write):
    table = read_table(write(*SALES), Columns("sales", ("price",)))
    ((name, segment),) = table_segments(table, "series.csv").items()
    assert (name, segment.id) == ("sales", "series.csv")
    assert segment.covariates == ((1.5,), (2.5,), (1.5,), (2.0,))
    # The last row has no value.
    assert segment.values[::2] == (10, 12)
    assert len(segment.values) == 3


def test_segments_of_a_table_have_times(write):
    path = write(
        "date,value,split", "2026-11-01,1,train", "2026-11-02,2,test", "2026-11-03,3,train"
    )
    first, test, last = read_segments(path, Columns())
    assert test.history == (1,)
    assert (test.time_index, last.time_index) == (first.time_index, TimeIndex("2026-11-03", 1))


def test_parquet_is_read_like_csv(write, tmp_path):
    pyarrow = pytest.importorskip("pyarrow.csv")
    parquet = pytest.importorskip("pyarrow.parquet")
    text, path = write(*SALES), tmp_path / "series.parquet"
    parquet.write_table(pyarrow.read_csv(text), path)
    expected, table = (read_table(p, Columns("sales", ("price",))) for p in (text, path))
    np.testing.assert_array_equal(table.values["sales"], expected.values["sales"])
    np.testing.assert_array_equal(table.covariates, expected.covariates)
    assert table.time_index == expected.time_index
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(ZooError, match="cannot be read as a Parquet file"):
        read_table(path, Columns())


def test_small_parquet_file_of_a_large_table_is_rejected(tmp_path):
    """Two million equal values, or long equal texts, are compressed into a few kilobytes."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    for values in (np.zeros(2**21 + 1), ["x" * 2**16] * 2**12):
        parquet.write_table(pyarrow.table({"value": values}), path)
        assert path.stat().st_size < 2**18
        with pytest.raises(ZooError, match="too large: a table must have at most 2,097,152 rows"):
            read_table(path, Columns())


def test_parquet_requires_pyarrow(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(ZooError, match=r"pip install 'recurrent-zoo\[tables\]'"):
        read_table(tmp_path / "series.parquet", Columns())


@pytest.mark.parametrize(
    ("columns", "lines", "message"),
    [
        (Columns("sale"), SALES, r"line 1: there is no column 'sale'. Did you mean 'sales'"),
        (Columns("sales", ("prize",)), SALES, r"no column 'prize'. Did you mean 'price'"),
        (Columns("sales", ("stock",)), SALES, r"line 4: stock: a value must be .* Received: 'NaN'"),
        (Columns("sales"), ("1", "2"), r"has one column without a name: there is no 'sales'"),
        (Columns(), ("date,a", "2026-11-01,"), r"all 1 values of 'a' are missing"),
        (Columns(), ("date,a", "2026-11-01,inf"), r"line 2: a: .* Received: 'inf'"),
        (Columns(), ("date,a", "1 Mai 2026,3"), r"line 2: a time must be written like"),
        (
            Columns(),
            ("date,a", "2026-11-02,3", "2026-11-01,3"),
            r"row 2: times must be in ascending",
        ),
        (
            Columns(),
            ("date,split", "2026-11-02,train"),
            r"line 1: there must be a column of values",
        ),
    ],
)
def test_invalid_table_is_rejected_in_one_line(write, columns, lines, message):
    with pytest.raises(ZooError, match=message) as error:
        read_table(write(*lines), columns)
    assert "\n" not in str(error.value)


# Dialects

PLAIN = ("day,a,b", "2026-11-01,1.5,-3", "2026-11-02,,4e2", "2026-11-03,2.25,5")


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(PLAIN),
        "\r\n".join(PLAIN) + "\r\n",
        "\r".join(PLAIN) + "\r",
        "\n\n".join(PLAIN) + "\n\n",
        "\n".join(f"{line}," for line in PLAIN),
        "\n".join([PLAIN[0], *(f"{line}," for line in PLAIN[1:])]),
        "\n".join(PLAIN).replace(",", "\t"),
        "\n".join(PLAIN).replace(",", ";").replace(".", ","),
        "\n".join(PLAIN).replace(",", "\t").replace(".", ","),
        "\n".join(PLAIN).replace(",", '","').replace("\n", '"\n"').join('""'),
        ",day,a,b\n0,2026-11-01,1.5,-3\n1,2026-11-02,,4e2\n2,2026-11-03,2.25,5\n",
        ",a,b\n2026-11-01,1.5,-3\n2026-11-02,,4e2\n2026-11-03,2.25,5\n",
        "year,month,day,a,b\n2026,11,1,1.5,-3\n2026,11,2,,4e2\n2026,11,3,2.25,5\n",
    ],
)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_dialects_of_csv_have_the_same_values(tmp_path, text, encoding):
    path = tmp_path / "series.csv"
    path.write_bytes(text.encode(encoding))
    table = read_table(path, Columns())
    assert list(table.values) == ["a", "b"]
    np.testing.assert_array_equal(table.values["a"], [1.5, math.nan, 2.25])
    np.testing.assert_array_equal(table.values["b"], [-3, 400, 5])
    assert table.time_index == TimeIndex("2026-11-01", 1)


def test_line_break_in_a_quoted_field_keeps_the_line_numbers(write):
    lines = ('"note\nof the day",value', '"a\nb",1', '"c",2')
    np.testing.assert_array_equal(read_table(write(*lines), Columns()).values["value"], [1, 2])
    with pytest.raises(ZooError, match="line 5: value: a value must be"):
        read_table(write(*lines[:2], '"c",x'), Columns())


@pytest.mark.parametrize(
    "lines", [("1", "", "3"), ("value", "1", "", "3"), ("1", "NA", "3"), ("value", "1", '""', "3")]
)
def test_blank_line_of_the_only_column_is_a_missing_value(write, lines):
    np.testing.assert_array_equal(
        read_table(write(*lines), Columns()).values["value"], [1, math.nan, 3]
    )


@pytest.mark.parametrize("first", ["nan", "NA", "?", "null"])
def test_first_value_may_be_missing(write, first):
    table = read_table(write(first, "2", "3"), Columns())
    np.testing.assert_array_equal(table.values["value"], [math.nan, 2, 3])


@pytest.mark.parametrize(
    ("header", "times", "after"),
    [
        ("year,month", ("2025,11", "2025,12"), "2026-01"),
        ("Month,Year", ("11,2025", "12,2025"), "2026-01"),
        ("year,month,day,hour", ("2025,12,31,22", "2025,12,31,23"), "2026-01-01 00:00:00"),
        ("date,time", ("2025-12-31,22:00", "2025-12-31,22:30"), "2025-12-31 23:00:00"),
        ("date,hour", ("2025-12-31,8", "2025-12-31,9"), "2025-12-31 10:00:00"),
        ("", ("2025", "2026"), "2027"),
    ],
)
def test_columns_of_parts_of_a_time(write, header, times, after):
    path = write(f"{header},x", *(f"{time},{i}" for i, time in enumerate(times)))
    table = read_table(path, Columns())
    assert list(table.values) == ["x"]
    assert table.time_index.texts(2, 1) == [after]


@pytest.mark.parametrize("target", ["y", "value", "target", "load"])
def test_long_table_has_one_series_per_name(write, target):
    lines = (
        f"unique_id,ds,{target}",
        "oslo,2026-11-01,1",
        "rome,2026-10-01,7",
        "oslo,2026-11-02,2",
        "rome,2026-10-08,8",
    )
    oslo, rome = read_segments(write(*lines), Columns())
    assert (oslo.id, oslo.values) == ("series.csv, oslo", (1, 2))
    assert (rome.id, rome.values) == ("series.csv, rome", (7, 8))
    assert (oslo.time_index, rome.time_index) == (
        TimeIndex("2026-11-01", 1),
        TimeIndex("2026-10-01", 7),
    )


def test_each_series_of_a_long_table_is_forecast(write):
    recipe = entry("timeseries/ar-laser").recipe().override({"model.context": 2})
    rows = [f"{name},2026-11-0{day},{day}" for day in (1, 2, 3) for name in ("oslo", "rome")]
    path = write("unique_id,ds,y", *rows, "oslo,2026-11-04,4")
    item = recipe.data.read_input(str(path), recipe.model)
    inputs, times = recipe.data.future_inputs(item, recipe.model, 1)
    assert item["names"] == ["oslo", "rome"]
    assert times == [["2026-11-05"], ["2026-11-04"]]
    np.testing.assert_array_equal(inputs["series"], [[3, 4], [2, 3]])


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((",a", "0,1", "2,2"), "the numbers in the column without a name must be consecutive"),
        (("a,,b", "1,x,2"), "line 1: column 2 must have a name"),
        (("day,a,", "2026-11-01,1,x"), "line 1: column 3 must have a name"),
        (("a,a", "1,2"), "line 1: the column 'a' occurs twice"),
        (("date,year,a", "2026-11-01,2026,1"), "the time must be in one column.* 'date', 'year'"),
        (("2026-11-01,1", "2026-11-02,2"), "the first line must have the names of the columns"),
        (("a;b", "1,5;2", "1;2.5"), "line 2: all numbers must have the same decimal mark.* line 3"),
        (("a;b", "1.234,5;2"), r"line 2: a: a value must be .* Received: '1\.234,5'"),
        (("a,b", '1,"2'), "line 2: invalid CSV: unexpected end of data"),
        (('""', ","), "series.csv is empty"),
        (("unique_id,y", ",1"), "line 2: the name of the series must not be empty"),
        (("unique_id,y", "a,1", "b,"), "series.csv, b: all 1 values of 'y' are missing"),
    ],
)
def test_ambiguous_table_is_rejected(write, lines, message):
    with pytest.raises(ZooError, match=message) as error:
        read_segments(write(*lines), Columns())
    assert "\n" not in str(error.value)


def test_rows_after_the_last_value_are_not_split(write):
    rows = [f"2026-11-{day:02},{day},{day if day <= 20 else ''}" for day in range(1, 31)]
    recipe = entry("timeseries/ar-laser").recipe()
    recipe = recipe.override({"model.context": 2, "data.covariates": ("price",)})
    path = write("date,price,value", *rows)
    (segment,) = recipe.data.read_manifest(path)
    (train,), (dev,) = recipe.data.split_dev([segment], 0.1, 0)
    assert train.values == tuple(range(1, 19))
    assert dev.values == (19, 20)
    item = recipe.data.read_input(str(path), recipe.model)
    inputs, times = recipe.data.future_inputs(item, recipe.model, 10)
    assert times == [[f"2026-11-{day}" for day in range(21, 31)]]
    np.testing.assert_array_equal(inputs["covariates"][0, :, 0], range(19, 31))


# Objects


def read_input_table(source, columns):
    """Return an input that is one table."""
    (table,) = read_input_tables(source, columns).values()
    return table


def test_pandas_objects_are_read_like_files(write):
    pandas = pytest.importorskip("pandas")
    expected = read_table(write(*SALES), Columns())
    frame = pandas.read_csv(write(*SALES))
    dates = pandas.to_datetime(frame.pop("Date"))
    for each in (frame.assign(date=dates), frame.set_index(dates)):
        table = read_input_table(each, Columns())
        for name, values in expected.values.items():
            np.testing.assert_array_equal(table.values[name], values)
        assert table.time_index == expected.time_index
    monthly = pandas.Series(
        [1, 2, 3], pandas.date_range("2026-01-31", periods=3, freq="ME"), name="x"
    )
    table = read_input_table(monthly, Columns())
    assert [str(time) for time in table.time_index.times(3, 1)] == ["2026-04-30"]
    assert read_input_table(monthly, Columns("sales")).values.keys() == {"sales"}
    texts = pandas.Series([1, 2], ["2026-01-31", "2026-02-28"], name="x")
    periods = pandas.Series([1, 2], pandas.period_range("2026-01", periods=2, freq="M"), name="x")
    for each, after in ((texts, "2026-03-31"), (periods, "2026-03")):
        assert read_input_table(each, Columns()).time_index.texts(2, 1) == [after]
    assert list(read_input_table(pandas.DataFrame([[1, 2], [3, 4]]), Columns()).values) == [
        "0",
        "1",
    ]
    with pytest.raises(ZooError, match="the numbers in the column without a name"):
        read_input_table(pandas.Series([1, 2, 3], [2, 0, 1]), Columns())


def test_pandas_time_zone_is_kept(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    days = pandas.date_range("2026-03-27", periods=2, tz="Europe/Berlin")
    series = pandas.Series([1.0, 2.0], days, name="x")
    series.to_frame().to_parquet(tmp_path / "a.parquet")
    for source in (series, tmp_path / "a.parquet"):
        time_index = read_input_table(source, Columns()).time_index
        assert time_index.texts(2, 2) == ["2026-03-29 00:00:00+01:00", "2026-03-30 00:00:00+02:00"]


def test_monthly_parquet_of_pandas(tmp_path):
    pandas = pytest.importorskip("pandas")
    pytest.importorskip("pyarrow")
    months = pandas.date_range("2026-01-31", periods=3, freq="ME")
    pandas.DataFrame({"x": [1, 2, 3]}, months).to_parquet(tmp_path / "a.parquet")
    table = read_input_table(tmp_path / "a.parquet", Columns())
    assert list(table.values) == ["x"]
    assert table.time_index.texts(3, 1) == ["2026-04-30 00:00:00"]


def test_array_is_a_series_without_times():
    for source in ([1, 2.5, math.nan], np.array([1, 2.5, math.nan])):
        table = read_input_table(source, Columns())
        np.testing.assert_array_equal(table.values["value"], [1, 2.5, math.nan])
        assert table.time_index is None


@pytest.mark.parametrize(
    ("source", "columns", "message"),
    [
        (np.zeros((2, 3)), Columns(), r"an array \[time\], .* <ndarray> of the shape \[2, 3\]"),
        (["a"], Columns(), "A series must be a path, .* Received: <list>"),
        (None, Columns(), "A series must be a path, .* Received: <NoneType>"),
        ([], Columns(), "<list>: a series must have values"),
        ([math.nan], Columns(), "<list>: all 1 values of 'value' are missing"),
        ([1, math.inf], Columns(), "<list>, line 2: value: a value must be a finite number"),
        ([1, 2], Columns("a", ("price",)), "<list>: there is no column 'price'"),
    ],
)
def test_invalid_object_is_rejected(source, columns, message):
    with pytest.raises(ZooError, match=message):
        read_input_table(source, columns)


# Model inputs


@pytest.fixture
def recipe():
    recipe = entry("timeseries/ar-laser").recipe()
    overrides = {"model.context": 2, "data.target": "sales", "data.covariates": ("price",)}
    return recipe.override(overrides)


def test_forecast_begins_after_the_last_value(recipe, write):
    item = recipe.data.read_input(str(write(*SALES)), recipe.model)
    inputs, times = recipe.data.future_inputs(item, recipe.model, 1)
    # The value before a missing one replaces it.
    np.testing.assert_array_equal(inputs["series"], [[10, 12]])
    np.testing.assert_array_equal(inputs["covariates"], [[[2.5], [1.5], [2.0]]])
    assert times == [["2026-11-04"]]
    with pytest.raises(ZooError, match=r"price must be given in 3 rows after .* Received: 1"):
        recipe.data.future_inputs(item, recipe.model, 3)


def test_missing_value_is_replaced_by_the_one_a_season_before(recipe, write):
    path = write("value", "nan", "1", "2", "3", "nan", "nan", "6")
    recipe = entry("timeseries/ar-laser").recipe()
    for season, expected in ((3, [1, 1, 2, 3, 1, 2, 6]), (1, [1, 1, 2, 3, 3, 3, 6])):
        adapted = recipe.override({"model.context": 7, "data.season": season})
        item = adapted.data.read_input(str(path), adapted.model)
        inputs, _ = adapted.data.future_inputs(item, adapted.model, 1)
        np.testing.assert_array_equal(inputs["series"], [expected])


def test_calendar_requires_times(write):
    recipe = entry("timeseries/lstm-nn5").recipe().override({"model.context": 2})
    item = recipe.data.read_input(str(write(1, 2, 3)), recipe.model)
    with pytest.raises(ZooError, match=r"uses the weekday of each value: .* must have times"):
        recipe.data.future_inputs(item, recipe.model, 1)


def test_covariates_are_scaled_by_the_train_split(recipe, write):
    (segment,) = recipe.data.read_manifest(write(*SALES[:-1], "2026-11-04,2.0,13,"))
    (train,), (dev,) = recipe.data.split_dev([segment], 0.25, 0)
    model = recipe.adapt([train, dev]).model
    assert model.covariate_means == pytest.approx((np.mean([1.5, 2.5, 1.5]),))
    assert model.covariate_deviations == pytest.approx((np.std([1.5, 2.5, 1.5]),))


def test_forecasts_of_a_data_frame_are_a_data_frame():
    pandas = pytest.importorskip("pandas")
    days = pandas.date_range("2026-03-27", periods=2, tz="Europe/Berlin")
    frame = pandas.DataFrame({"a": range(2), "b": [5.5, 7.5]}, index=days)
    preset = load_preset("timeseries/ar-sunspots")
    context = preset.recipe.model.context
    frame = pandas.concat([frame.shift(-2 * n, freq="D") for n in range(context)][::-1])
    rows = zoo.predict(preset, [frame], options={"horizon": 2}).to_pandas()
    assert rows["series"].tolist() == ["a", "a", "b", "b"]
    assert rows["time"].tolist() == ["2026-03-29 00:00:00+01:00", "2026-03-30 00:00:00+02:00"] * 2
    assert rows["forecast"].notna().all()
