"""Labelled series: `.ts` files, inputs, scaling, and the classifier."""

import numpy as np
import pytest

from tests.harness import check_model
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.timeseries.classification.corpora.labelled_series import LabelledSeries, read_rows, read_ts
from zoo.timeseries.classification.data import SAMPLE

HEAD = ("# a comment", "@problemName Two", "@dimensions 2", "@classLabel true a b", "@data")


@pytest.fixture
def examples():
    values = read_rows(SAMPLE)
    return [
        LabelledSeries(f"{n}", str(n % 9 + 1), tuple(map(tuple, (values[n:] * (1 + n)).tolist())))
        for n in range(4)
    ]


@pytest.fixture
def recipe():
    recipe = entry("timeseries/bilstm-japanese-vowels").recipe()
    return recipe.override({"model.hidden_size": 4, "training.batch_size": 4})


def test_model_passes_the_harness(recipe, examples, tmp_path, formats):
    check_model(recipe.adapt(examples), examples, tmp_path, formats)


@pytest.mark.parametrize("dimensions", ["two", "2true", "-1", "9" * 5000])
def test_invalid_number_of_channels_is_rejected(write, dimensions):
    path = write("@ ", f"@dimensions {dimensions}", "@data", "1,2:a", name="bad.ts")
    with pytest.raises(ZooError, match=r"bad\.ts: @dimensions must be an integer"):
        read_ts(path)


def test_ts_file_is_read(write):
    path = write(*HEAD, "1,2,3:4,5,6:a", "7:8:b", name="two.ts")
    assert read_ts(path) == [
        LabelledSeries("two.ts 1", "a", ((1, 4), (2, 5), (3, 6))),
        LabelledSeries("two.ts 2", "b", ((7, 8),)),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((*HEAD, "1,2:3:a"), r"line 6: all channels must have the same length. Received: \[1, 2\]"),
        ((*HEAD, "1,2:a"), r"line 6: a series must have 2 channels. Received: 1"),
        ((*HEAD, "1:?:a"), r"line 6: a value must be a finite number. Received: '\?'"),
        ((*HEAD, "1:2: "), r"line 6: a series must end with its label"),
        ((*HEAD, "1:2:c"), r"line 6: the label must be one of 'a', 'b'. Received: 'c'"),
        (
            ("@seriesLength 3", "@data", "1,2:a"),
            r"line 3: a series must have 3 values. Received: 2",
        ),
        (
            ("@timeStamps true", "@data", "(0,1):a"),
            r"series with @timestamps true are not supported",
        ),
        (
            ("@classLabel false", "@data", "1,2:3"),
            r"series with @classlabel false are not supported",
        ),
        (("@targetLabel true", "@data", "1:2"), r"series with @targetlabel true are not supported"),
        (("@weights true", "@data", "1:a"), r"line 1: the header @weights is not supported"),
        (("1:2:a",), r'a .ts file must have a line "@data"'),
        (HEAD, r"the list has no examples"),
    ],
)
def test_invalid_ts_file_is_rejected(write, lines, message):
    with pytest.raises(ZooError, match=message):
        read_ts(write(*lines, name="two.ts"))


def test_scaling_and_classes_are_taken_from_the_examples(examples):
    data = entry("timeseries/bilstm-japanese-vowels").recipe().from_scratch()
    recipe = data.adapt(examples)
    assert recipe.data.labels.symbols == ("1", "2", "3", "4")
    assert recipe.model.num_classes == 4
    rows = np.concatenate([np.array(example.values) for example in examples])
    np.testing.assert_allclose(recipe.model.channel_means, rows.mean(axis=0))
    assert recipe.adapt([]) == recipe


def test_csv_input_has_one_column_per_channel(recipe, examples, write):
    recipe = recipe.adapt(examples)
    assert recipe.data.read_input(str(SAMPLE), recipe.model)["series"].shape == (20, 12)
    with pytest.raises(ZooError, match=r"a series must have 12 channels. Received: 2"):
        recipe.data.read_input(str(write("a,b", "1,2", "3,4")), recipe.model)
    with pytest.raises(ZooError, match=r"line 2: a row must have 2 numbers, .* Received: 1"):
        read_rows(write("1,2", "3"))
    np.testing.assert_array_equal(read_rows(write("a;b", "1,5;2", "", "3;4")), [[1.5, 2], [3, 4]])
    for lines in (("nan,1", "2,3"), ("1", "", "2")):
        with pytest.raises(ZooError, match="a value must be a finite number"):
            read_rows(write(*lines))


def test_array_and_data_frame_are_inputs(recipe, examples):
    model = recipe.adapt(examples).model
    rows = read_rows(SAMPLE)
    for source in (rows, rows.tolist(), *_frame(rows)):
        item = recipe.data.read_input(source, model)
        np.testing.assert_array_equal(item["series"], rows)
    for bad in (rows[0], np.full((3, 12), np.nan), np.zeros((0, 12)), [["a"]], None):
        with pytest.raises(ZooError, match=r"an array \[time, channels\] of finite numbers"):
            recipe.data.read_input(bad, model)


def _frame(rows):
    """Return the rows as a DataFrame if pandas is installed."""
    try:
        import pandas
    except ImportError:
        return []
    return [pandas.DataFrame(rows)]
