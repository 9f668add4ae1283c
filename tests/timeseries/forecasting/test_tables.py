"""Tables of series: named columns, times, missing values, Parquet, pandas, and model inputs."""

import math
import sys

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.timeseries.forecasting.corpora.segment import read_segments, table_segments
from zoo.timeseries.forecasting.inputs import read_input_table
from zoo.timeseries.forecasting.tables import Columns, read_table
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
    assert len(segment.values) == 4


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
        (Columns(), ("date,a", "1 May 2026,3"), r"line 2: a time must be written like"),
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


# Objects


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
    (segment,) = recipe.data.read_manifest(write(*SALES))
    (train,), (dev,) = recipe.data.split_dev([segment], 0.25, 0)
    model = recipe.adapt([train, dev]).model
    assert model.covariate_means == pytest.approx((np.mean([1.5, 2.5, 1.5]),))
    assert model.covariate_deviations == pytest.approx((np.std([1.5, 2.5, 1.5]),))
