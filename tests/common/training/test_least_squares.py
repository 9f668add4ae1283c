"""Test least squares, compared with NumPy on batches, and the run folder."""

import json

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.training import trainers
from zoo.common.training.least_squares import solve
from zoo.timeseries.forecasting.corpora.segment import Segment


@pytest.fixture(scope="module")
def rows():
    """Return features and targets of two units, with noise and a mean other than zero."""
    generator = np.random.default_rng(0)
    features = generator.normal(3, 2, (200, 5))
    targets = features @ generator.normal(0, 1, (5, 2)) + 7 + generator.normal(0, 0.1, (200, 2))
    return features, targets


def batches(rows, size):
    features, targets = rows
    return [(features[i : i + size], targets[i : i + size]) for i in range(0, len(features), size)]


@pytest.mark.parametrize("size", [1, 3, 64, 200])
def test_the_solution_equals_lstsq_for_any_batch_size(rows, size):
    features, targets = rows
    expected = np.linalg.lstsq(np.column_stack([features, np.ones(200)]), targets, rcond=None)[0]
    kernel, bias, loss = solve(batches(rows, size))
    np.testing.assert_allclose(kernel, expected[:-1], rtol=1e-10)
    np.testing.assert_allclose(bias, expected[-1], rtol=1e-10)
    assert loss == pytest.approx(np.mean((features @ kernel + bias - targets) ** 2), rel=1e-10)


def test_without_bias(rows):
    features, targets = rows
    kernel, bias, _ = solve(batches(rows, 64), use_bias=False)
    np.testing.assert_allclose(kernel, np.linalg.lstsq(features, targets, rcond=None)[0])
    np.testing.assert_array_equal(bias, [0, 0])


def test_ridge(rows):
    features, targets = rows
    kernel, bias, loss = solve(batches(rows, 64), ridge=10.0)
    # The bias is not regularized, which centring the rows achieves.
    centred = features - features.mean(axis=0)
    expected = np.linalg.solve(centred.T @ centred + 10 * np.eye(5), centred.T @ targets)
    np.testing.assert_allclose(kernel, expected, rtol=1e-9)
    np.testing.assert_allclose(bias, (targets - features @ kernel).mean(axis=0), rtol=1e-9)
    assert loss == pytest.approx(np.mean((features @ kernel + bias - targets) ** 2))


def test_the_smallest_of_many_solutions(rows):
    features, targets = rows
    twice = np.concatenate([features, features], axis=1)
    kernel, _, loss = solve(batches((twice, targets), 64))
    np.testing.assert_allclose(kernel[:5], kernel[5:], rtol=1e-6)
    assert loss == pytest.approx(solve(batches(rows, 64))[2])


def test_no_rows():
    with pytest.raises(ZooError, match="Least squares needs at least one row"):
        solve([])


@pytest.fixture
def training():
    """Return recipe, train and dev of a line plus a wave, which an autoregression predicts exactly."""
    values = tuple(0.1 * i + np.sin(i) for i in range(80))
    recipe = entry("timeseries/ar-laser").recipe().override({"model.context": 4})
    train, dev = recipe.data.split_dev([Segment("wave", values, split="train")], 0.2, 0)
    return recipe.adapt(train + dev), train, dev


def test_a_run_has_the_files_of_a_preset(training, tmp_path):
    recipe, train, dev = training
    folder, lines = tmp_path / "run", []
    (row,) = trainers.train(recipe, train, dev, folder, record={"corpus": None}, log=lines.append)
    assert row["nmse"] < 1e-8
    assert row["loss"] < 1e-8
    assert len(lines) == 1
    assert {path.name for path in folder.iterdir()} == {
        "examples.txt",
        "intervals.json",
        "metrics.csv",
        "model.keras",
        "recipe.json",
        "run.json",
    }
    assert "corpus" in json.loads((folder / "run.json").read_text())
    again = trainers.train(recipe, train, dev, folder, resume=True, record={"corpus": None})
    assert again == [row]


def test_existing_folders_and_init_are_refused(training, tmp_path):
    recipe, train, dev = training
    (tmp_path / "file").touch()
    with pytest.raises(ZooError, match="already exists"):
        trainers.train(recipe, train, dev, tmp_path)
    with pytest.raises(ZooError, match="--init is not supported"):
        trainers.train(recipe, train, dev, tmp_path / "run", init=object())
    assert not (tmp_path / "run").exists()
