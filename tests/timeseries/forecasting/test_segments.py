"""Series in files: the corpus of the laser, and a user's file."""

import pytest

from zoo.common.core.errors import ZooError
from zoo.timeseries.forecasting.columns import Columns
from zoo.timeseries.forecasting.corpora.laser import LASER
from zoo.timeseries.forecasting.corpora.segment import Segment, read_segments, read_values


@pytest.fixture
def folder(write, laser):
    """Return a folder of the corpus with shorter files."""
    path = write(*laser[:60], name="santafe_A_train.txt")
    write(*laser[60:80], name="santafe_A_cont.txt")
    return path.parent


def test_test_split_continues_the_train_split(folder, laser):
    (train,) = LASER.read(folder, "train")
    (test,) = LASER.read(folder, "test")
    assert train.values == laser[:60]
    assert train.history == ()
    assert test.values == laser[60:80]
    assert test.history == train.values
    assert LASER.read(folder, "all") == [train, test]
    assert (train.split, test.split) == ("train", "test")


def test_missing_split_or_folder_is_rejected(folder):
    with pytest.raises(ZooError, match=r"There are: 'train', 'test', 'all'. Received: 'dev'"):
        LASER.read(folder, "dev")
    with pytest.raises(ZooError, match="no such folder"):
        LASER.read(folder / "none", "train")


@pytest.mark.parametrize(
    "lines",
    [
        ("1.5", "-2", "3e2"),
        (" 1.5 ", "-2", "300", ""),
        ("value", "1.5", "-2", "300"),
        ("month,value", "1949-01,1.5", "1949-02,-2", "1949-03,300"),
        ("value\tyear", "1.5\t1", "-2\t2", "300\t3"),
        ("value,price", "1.5,a", "-2,", "300,7"),
    ],
)
def test_values_are_the_only_column_or_the_column_value(write, lines):
    assert read_values(write(*lines)) == (1.5, -2.0, 300.0)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ("1", "2", "three"),
            r"line 3: value: a value must be a finite number or empty. Received: 'three'",
        ),
        (("1", "inf", "-inf"), r"line 2: .* Received: 'inf' \(further invalid lines: 1\)"),
        (("1", "1e39"), r"line 2: .* Received: '1e39'"),
        (("day,value", "1,2", "2,x"), r"line 3: value: a value must be .* Received: 'x'"),
        (("day,value", "1,2", "2"), r"line 3: 1 fields where the header has 2"),
        (("day,price", "1,2"), r"line 1: there is no column 'value'. Valid: 'day', 'price'"),
        (
            ("1,2", "3,4"),
            r"line 1: the first line must have the names of the columns. Received: '1,2'",
        ),
        (("value", "nan", "nan"), r"all 2 values of 'value' are missing"),
        (("value",), r"the list has no examples"),
        ((), r"is empty"),
    ],
)
def test_invalid_file_is_rejected_in_one_line(write, lines, message):
    with pytest.raises(ZooError, match=message) as error:
        read_values(write(*lines))
    assert "\n" not in str(error.value)


def test_column_of_splits_divides_a_series_into_segments(write):
    rows = ("1,train", "2,train", "3,dev", "4,test", "5,test", "6,train", "7,train")
    path = write("value,split", *rows)
    assert read_segments(path, Columns()) == [
        Segment("series.csv (train, from value 1)", (1, 2), (), "train"),
        Segment("series.csv (dev, from value 3)", (3,), (1, 2), "dev"),
        Segment("series.csv (test, from value 4)", (4, 5), (1, 2, 3), "test"),
        # Test values are not read in training, not even as history.
        Segment("series.csv (train, from value 6)", (6, 7), (), "train"),
    ]
    assert read_segments(write("1", "2"), Columns()) == [Segment("series.csv", (1, 2))]
