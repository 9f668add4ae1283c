"""Tables of series: columns by name, times, missing values, Parquet, and what is wrong with one."""

import math
import sys

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.timeseries.forecasting.corpora.segment import read_segments, read_series
from zoo.timeseries.forecasting.tables import Columns, read_table
from zoo.timeseries.forecasting.time_index import Clock

SALES = (
    "Date,price,sales,stock",
    "2026-11-01,1.5,10,7",
    "2026-11-02,2.5,,8",
    "2026-11-03,1.5,12,NaN",
    "2026-11-04,2.0,,",
)


def test_every_column_of_numbers_is_a_series(write):
    table = read_table(write(*SALES), Columns())
    assert list(table.values) == ["price", "sales", "stock"]
    np.testing.assert_array_equal(table.values["sales"], [10, math.nan, 12, math.nan])
    assert table.clock == Clock("2026-11-01", 1)
    assert table.covariates.size == 0


def test_a_target_with_covariates(write):
    ((name, segment),) = read_series(write(*SALES), Columns("sales", ("price",)))
    assert (name, segment.id) == ("sales", "series.csv")
    assert segment.covariates == ((1.5,), (2.5,), (1.5,), (2.0,))
    assert len(segment.values) == 4


def test_splits_of_a_table_with_times(write):
    path = write(
        "date,value,split", "2026-11-01,1,train", "2026-11-02,2,test", "2026-11-03,3,train"
    )
    first, test, last = read_segments(path, Columns())
    assert test.history == (1,)
    assert (test.clock, last.clock) == (first.clock, Clock("2026-11-03", 1))


def test_parquet_is_read_as_csv(write, tmp_path):
    pyarrow = pytest.importorskip("pyarrow.csv")
    parquet = pytest.importorskip("pyarrow.parquet")
    text, path = write(*SALES), tmp_path / "series.parquet"
    parquet.write_table(pyarrow.read_csv(text), path)
    expected, table = (read_table(p, Columns("sales", ("price",))) for p in (text, path))
    np.testing.assert_array_equal(table.values["sales"], expected.values["sales"])
    np.testing.assert_array_equal(table.covariates, expected.covariates)
    assert table.clock == expected.clock
    path.write_bytes(b"PAR1 no more")
    with pytest.raises(ZooError, match="is no Parquet file that can be read"):
        read_table(path, Columns())


def test_a_small_parquet_file_of_a_large_table(tmp_path):
    """Two million equal values, or long equal texts, are packed into a few kilobytes."""
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    path = tmp_path / "a.parquet"
    for values in (np.zeros(2**21 + 1), ["x" * 2**16] * 2**12):
        parquet.write_table(pyarrow.table({"value": values}), path)
        assert path.stat().st_size < 2**18
        with pytest.raises(ZooError, match="too large: a table must have at most 2,097,152 rows"):
            read_table(path, Columns())


def test_parquet_needs_a_package(monkeypatch, tmp_path):
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
        (Columns("sales"), ("1", "2"), r"one column without a name: there is no 'sales'"),
        (Columns(), ("date,a", "2026-11-01,"), r"all 1 values of 'a' are missing"),
        (Columns(), ("date,a", "2026-11-01,inf"), r"line 2: a: .* Received: 'inf'"),
        (Columns(), ("date,a", "1 May 2026,3"), r"line 2: a time must be written like"),
        (Columns(), ("date,a", "2026-11-02,3", "2026-11-01,3"), r"row 2: times must rise"),
        (Columns(), ("date,split", "2026-11-02,train"), r"line 1: there is no column of values"),
    ],
)
def test_what_cannot_be_read_is_told_in_one_line(write, columns, lines, message):
    with pytest.raises(ZooError, match=message) as error:
        read_table(write(*lines), columns)
    assert "\n" not in str(error.value)


# As the input of a model ---------------------------------------------------------------------------


@pytest.fixture
def recipe():
    recipe = entry("timeseries/ar-laser").recipe()
    overrides = {"model.context": 2, "data.target": "sales", "data.covariates": ("price",)}
    return recipe.override(overrides)


def test_a_forecast_begins_after_the_last_value(recipe, write):
    item = recipe.data.read_input(str(write(*SALES)), recipe)
    # What is missing is read as the value before it.
    np.testing.assert_array_equal(item["series"], [[10, 12]])
    np.testing.assert_array_equal(item["covariates"], [[[2.5], [1.5], [2.0]]])
    assert item["times"] == [["2026-11-04"]]
    longer = recipe.override({"decoder.horizon": 3})
    with pytest.raises(ZooError, match=r"price must be given in 3 rows after .* Received: 1"):
        recipe.data.read_input(str(write(*SALES)), longer)


def test_a_missing_value_is_that_of_a_season_before(recipe, write):
    path = write("value", "nan", "1", "2", "3", "nan", "nan", "6")
    recipe = entry("timeseries/ar-laser").recipe()
    for season, expected in ((3, [1, 1, 2, 3, 1, 2, 6]), (1, [1, 1, 2, 3, 3, 3, 6])):
        adapted = recipe.override({"model.context": 7, "data.season": season})
        item = adapted.data.read_input(str(path), adapted)
        np.testing.assert_array_equal(item["series"], [expected])


def test_a_model_that_reads_weekdays_needs_times(write):
    recipe = entry("timeseries/lstm-nn5").recipe().override({"model.context": 2})
    with pytest.raises(ZooError, match=r"reads the weekday of each value: .* a column of times"):
        recipe.data.read_input(str(write(1, 2, 3)), recipe)


def test_covariates_are_scaled_by_train_alone(recipe, write):
    (segment,) = recipe.data.read_manifest(write(*SALES))
    (train,), (dev,) = recipe.data.split_dev([segment], 0.25, 0)
    model = recipe.adapt([train, dev]).model
    assert model.covariate_means == pytest.approx((np.mean([1.5, 2.5, 1.5]),))
    assert model.covariate_deviations == pytest.approx((np.std([1.5, 2.5, 1.5]),))
