"""Series as data: windows, dev split, scaling, batches and inputs."""

from dataclasses import replace

import numpy as np
import pytest

from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.timeseries.forecasting.corpora.segment import Segment


@pytest.fixture
def recipe():
    recipe = entry("timeseries/ar-laser").recipe()
    return recipe.override({"model.context": 3, "training.batch_size": 4})


TEN = Segment("ten", tuple(range(10)), split="train")


def test_windows_precede_their_targets(recipe):
    windows = recipe.data.windows(TEN, recipe.model, 1)
    series, targets = windows.inputs["series"], windows.targets
    assert series.shape == (7, 3)
    assert series.dtype == targets.dtype == np.float64
    np.testing.assert_array_equal(series[0], [0, 1, 2])
    np.testing.assert_array_equal(series[-1], [6, 7, 8])
    np.testing.assert_array_equal(targets[:, 0], range(3, 10))
    np.testing.assert_array_equal(windows.first, range(4, 11))


@pytest.mark.parametrize("history", [(), (-1,), (-3, -2, -1), (-5, -4, -3, -2, -1)])
def test_history_is_input_but_not_target(recipe, history):
    windows = recipe.data.windows(replace(TEN, history=history), recipe.model, 1)
    series, targets = windows.inputs["series"], windows.targets
    first = 3 - min(3, len(history))
    np.testing.assert_array_equal(targets[:, 0], range(first, 10))
    np.testing.assert_array_equal(series[0], np.arange(first - 3, first))


def test_dev_is_the_end_of_a_series_for_any_seed(recipe):
    for seed in (0, 1):
        (train,), (dev,) = recipe.data.split_dev([TEN], 0.2, seed)
        assert train.values == tuple(range(8))
        assert dev.values == (8, 9)
        assert dev.history == tuple(range(8))
        assert (dev.split, dev.id) == ("dev", "ten, last part")
    with pytest.raises(
        ZooError, match=r"ten: a series must have more values for a dev split of 0\.01"
    ):
        recipe.data.split_dev([TEN], 0.01, 0)


def test_scaling_is_taken_from_training_values_once(recipe):
    dev = Segment("dev", (1000.0, 2000.0), split="dev")
    adapted = recipe.adapt([TEN, dev])
    assert adapted.model.mean == 4.5
    assert adapted.model.deviation == pytest.approx(np.std(range(10)))
    assert adapted.adapt([dev]) == adapted
    assert adapted.adapt([]) == adapted
    with pytest.raises(ZooError, match=r"must not all be equal. Received: 3 values, all 7"):
        recipe.adapt([Segment("flat", (7.0, 7.0, 7.0))])


def test_model_without_scaling_is_not_built(recipe):
    with pytest.raises(ZooError, match=r"model.mean and model.deviation must be set"):
        recipe.model.build()


def test_series_without_a_whole_window_are_left_out(recipe):
    short, saved = Segment("short", (1.0, 2.0, 3.0)), Segment("saved", (4.0,), (1.0, 2.0, 3.0))
    kept, left_out = recipe.data.filter_examples([short, saved], recipe.model)
    assert kept == [saved]
    assert left_out == {"with no more than 3 values": 1}
    with pytest.raises(
        ZooError, match=r"must have more than 3 values, which is model.context. Received: 3"
    ):
        recipe.data.filter_examples([short], recipe.model)
    with pytest.raises(ZooError, match=r"short: it must have more than 3 values. Received: 3"):
        recipe.data.windows(short, recipe.model, 1)


def test_batches_contain_each_window_once(recipe):
    recipe = recipe.adapt([TEN])
    examples = [TEN, Segment("more", (20.0, 21.0), (17.0, 18.0, 19.0))]

    def batches_of(number):
        epoch = Epoch(number, recipe.training.batch_size, recipe.training.seed)
        return recipe.data.batches(examples, recipe.model, None, epoch)

    batches = batches_of(0)
    rows = [
        (tuple(window), target, id_)
        for x, y, ids in batches
        for window, (target,), id_ in zip(x["series"], y["targets"], ids, strict=True)
    ]
    assert len(list(batches)) == batches.steps == 3
    assert sorted(target for _, target, _ in rows) == [*range(3, 10), 20, 21]
    assert all(window == (target - 3, target - 2, target - 1) for window, target, _ in rows)
    assert {target: id_ for _, target, id_ in rows}[3] == "ten, value 4"
    assert {target: id_ for _, target, id_ in rows}[20] == "more, value 1"
    again, later = ([y["targets"].tolist() for _, y, _ in batches_of(number)] for number in (0, 1))
    assert again == [y["targets"].tolist() for _, y, _ in batches]
    assert again != later


def test_forecast_input_is_the_end_of_a_file(recipe, write):
    item = recipe.data.read_input(str(write(1, 2, 3, 4, 5)), recipe.model)
    inputs, times = recipe.data.future_inputs(item, recipe.model, 1)
    np.testing.assert_array_equal(inputs["series"], [[3, 4, 5]])
    assert (item["names"], times) == (["value"], None)
    assert inputs["series"].dtype == np.float64
    with pytest.raises(ZooError, match=r"a series must have at least 3 values. Received: 2"):
        recipe.data.read_input(str(write(1, 2)), recipe.model)


def test_checksum_depends_on_the_values(recipe):
    checksum = recipe.data.checksum
    assert checksum([TEN]) == checksum([replace(TEN)])
    assert checksum([TEN]) != checksum([replace(TEN, values=(*TEN.values[:-1], 9.5))])
    assert recipe.data.num_examples([TEN, TEN]) == 20


def test_take_windows_returns_the_beginning_of_the_first_series(recipe):
    context = recipe.model.context
    values = tuple(map(float, range(50)))
    (first,) = recipe.data.take_windows([Segment("a", values)], 3, recipe.model)
    assert first.values == values[: context + 3]
    assert recipe.data.num_windows([first], recipe.model) == 3
    assert len(recipe.data.windows(first, recipe.model, 1).targets) == 3
    later = Segment("b", values, history=values)
    few = Segment("c", values[: context + 1])
    taken = recipe.data.take_windows([few, later], 3, recipe.model)
    assert [len(part.values) for part in taken] == [context + 1, 2]
