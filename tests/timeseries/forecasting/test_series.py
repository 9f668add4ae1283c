"""Series as data: windows, dev at the end, scaling from training values, batches."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.timeseries.forecasting.corpora.segment import Segment


@pytest.fixture
def recipe():
    recipe = entry("timeseries/ar-laser").recipe()
    return recipe.override({"model.context": 3, "training.batch_size": 4})


TEN = Segment("ten", tuple(range(10)), split="train")


def test_windows_stand_before_their_targets(recipe):
    windows = recipe.data.windows(TEN, recipe, 1)
    series, targets = windows.inputs["series"], windows.targets
    assert series.shape == (7, 3)
    assert series.dtype == targets.dtype == np.float32
    np.testing.assert_array_equal(series[0], [0, 1, 2])
    np.testing.assert_array_equal(series[-1], [6, 7, 8])
    np.testing.assert_array_equal(targets[:, 0], range(3, 10))
    np.testing.assert_array_equal(windows.first, range(4, 11))


@pytest.mark.parametrize("history", [(), (-1,), (-3, -2, -1), (-5, -4, -3, -2, -1)])
def test_history_is_read_and_not_forecast(recipe, history):
    windows = recipe.data.windows(replace(TEN, history=history), recipe, 1)
    series, targets = windows.inputs["series"], windows.targets
    first = 3 - min(3, len(history))
    np.testing.assert_array_equal(targets[:, 0], range(first, 10))
    np.testing.assert_array_equal(series[0], np.arange(first - 3, first))


def test_dev_is_the_end_whatever_the_seed(recipe):
    for seed in (0, 1):
        (train,), (dev,) = recipe.data.split_dev([TEN], 0.2, seed)
        assert train.values == tuple(range(8))
        assert dev.values == (8, 9)
        assert dev.history == tuple(range(8))
        assert (dev.split, dev.id) == ("dev", "ten, last part")
    with pytest.raises(ZooError, match="ten: it must have more values to split off"):
        recipe.data.split_dev([TEN], 0.01, 0)


def test_scaling_is_taken_from_training_values_and_kept(recipe):
    dev = Segment("dev", (1000.0, 2000.0), split="dev")
    adapted = recipe.adapt([TEN, dev])
    assert adapted.model.mean == 4.5
    assert adapted.model.deviation == pytest.approx(np.std(range(10)))
    assert adapted.adapt([dev]) == adapted
    assert adapted.adapt([]) == adapted
    with pytest.raises(ZooError, match=r"must differ from each other. Received: 3, all of them 7"):
        recipe.adapt([Segment("flat", (7.0, 7.0, 7.0))])


def test_an_unscaled_model_is_not_built(recipe):
    with pytest.raises(ZooError, match=r"model.mean and model.deviation must be set"):
        recipe.model.build()


def test_series_without_a_whole_window_are_left_out(recipe):
    short, saved = Segment("short", (1.0, 2.0, 3.0)), Segment("saved", (4.0,), (1.0, 2.0, 3.0))
    kept, left_out = recipe.data.filter_examples([short, saved], recipe)
    assert kept == [saved]
    assert left_out == {"with no more than 3 values": 1}
    with pytest.raises(ZooError, match=r"must have more than 3 values, model.context. Received: 3"):
        recipe.data.filter_examples([short], recipe)
    with pytest.raises(ZooError, match=r"short: it must have more than 3 values. Received: 3"):
        recipe.data.windows(short, recipe, 1)


def test_batches_have_each_window_once(recipe):
    recipe = recipe.adapt([TEN])
    examples = [TEN, Segment("more", (20.0, 21.0), (17.0, 18.0, 19.0))]
    batches = recipe.data.batches(None, recipe, examples, epoch=0)
    rows = [
        (tuple(window), target, id_)
        for x, y, ids in batches
        for window, (target,), id_ in zip(x["series"], y["targets"], ids, strict=True)
    ]
    assert len(list(batches)) == recipe.data.steps_per_epoch(recipe, examples) == 3
    assert sorted(target for _, target, _ in rows) == [*range(3, 10), 20, 21]
    assert all(window == (target - 3, target - 2, target - 1) for window, target, _ in rows)
    assert {target: id_ for _, target, id_ in rows}[3] == "ten, value 4"
    assert {target: id_ for _, target, id_ in rows}[20] == "more, value 1"
    again, later = (
        [y["targets"].tolist() for _, y, _ in recipe.data.batches(None, recipe, examples, epoch)]
        for epoch in (0, 1)
    )
    assert again == [y["targets"].tolist() for _, y, _ in batches]
    assert again != later


def test_an_input_is_the_end_of_a_file(recipe, write):
    item = recipe.data.read_input(str(write(1, 2, 3, 4, 5)), recipe)
    np.testing.assert_array_equal(item["series"], [[3, 4, 5]])
    assert (item["names"], item["times"]) == (["value"], None)
    assert item["series"].dtype == np.float32
    with pytest.raises(ZooError, match=r"it must have 3 values or more. Received: 2"):
        recipe.data.read_input(str(write(1, 2)), recipe)


def test_another_series_has_another_checksum(recipe):
    checksum = recipe.data.checksum
    assert checksum([TEN]) == checksum([replace(TEN)])
    assert checksum([TEN]) != checksum([replace(TEN, values=(*TEN.values[:-1], 9.5))])
    assert recipe.data.num_examples([TEN, TEN]) == 20


def test_windows_to_learn_by_heart(recipe):
    """`--overfit 3`: three values, each with the values before it."""
    context = recipe.model.context
    values = tuple(map(float, range(50)))
    (first,) = recipe.data.take_windows([Segment("a", values)], 3, recipe)
    assert first.values == values[: context + 3]
    assert recipe.data.num_windows([first], recipe) == 3
    assert len(recipe.data.windows(first, recipe, 1).targets) == 3
    later = Segment("b", values, history=values)
    few = Segment("c", values[: context + 1])
    taken = recipe.data.take_windows([few, later], 3, recipe)
    assert [len(part.values) for part in taken] == [context + 1, 2]
