"""Labelled series: `.ts` files, CSV input, the classifier."""

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


def test_model(recipe, examples, tmp_path):
    check_model(recipe.adapt(examples), examples, tmp_path)


@pytest.mark.parametrize("dimensions", ["two", "2true", "-1", "9" * 5000])
def test_a_ts_file_of_no_number_of_channels(write, dimensions):
    path = write("@ ", f"@dimensions {dimensions}", "@data", "1,2:a", name="bad.ts")
    with pytest.raises(ZooError, match=r"bad\.ts: @dimensions must be a whole number"):
        read_ts(path)


def test_a_ts_file(write):
    path = write(*HEAD, "1,2,3:4,5,6:a", "7:8:b", name="two.ts")
    assert read_ts(path) == [
        LabelledSeries("two.ts 1", "a", ((1, 4), (2, 5), (3, 6))),
        LabelledSeries("two.ts 2", "b", ((7, 8),)),
    ]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ((*HEAD, "1,2:3:a"), r"line 6: its channels must be of one length. Received: \[1, 2\]"),
        ((*HEAD, "1,2:a"), r"line 6: it must have 2 channels and a class. Received: 1"),
        ((*HEAD, "1:?:a"), r"line 6: a value must be a finite number. Received: '\?'"),
        ((*HEAD, "1:2: "), r"line 6: it must end with its class"),
        (("1:2:a",), r'there is no line "@data"'),
        (HEAD, r"no example is listed"),
    ],
)
def test_a_ts_file_that_cannot_be_read(write, lines, message):
    with pytest.raises(ZooError, match=message):
        read_ts(write(*lines, name="two.ts"))


def test_scaling_and_classes_are_taken_from_the_data(examples):
    data = entry("timeseries/bilstm-japanese-vowels").recipe().from_scratch()
    recipe = data.adapt(examples)
    assert recipe.data.labels.symbols == ("1", "2", "3", "4")
    assert recipe.model.num_classes == 4
    rows = np.concatenate([np.array(example.values) for example in examples])
    np.testing.assert_allclose(recipe.model.channel_means, rows.mean(axis=0))
    assert recipe.adapt([]) == recipe


def test_an_input_is_a_table(recipe, examples, write):
    recipe = recipe.adapt(examples)
    assert recipe.data.read_input(str(SAMPLE), recipe)["series"].shape == (20, 12)
    with pytest.raises(ZooError, match=r"it must have 12 channels. Received: 2"):
        recipe.data.read_input(str(write("a,b", "1,2", "3,4")), recipe)
    with pytest.raises(ZooError, match=r"line 2: 1 numbers where the first line has 2"):
        read_rows(write("1,2", "3"))
