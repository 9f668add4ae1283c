"""Least squares: the solution of NumPy from one pass over batches, and the run it leaves."""

import json

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.training.least_squares import solve
from zoo.timeseries.forecasting.corpora.segment import Segment


@pytest.fixture(scope="module")
def rows():
    """Features and targets of two units, with noise, and not about zero."""
    generator = np.random.default_rng(0)
    features = generator.normal(3, 2, (200, 5))
    targets = features @ generator.normal(0, 1, (5, 2)) + 7 + generator.normal(0, 0.1, (200, 2))
    return features, targets


def batches(rows, size):
    features, targets = rows
    return [(features[i : i + size], targets[i : i + size]) for i in range(0, len(features), size)]


@pytest.mark.parametrize("size", [1, 3, 64, 200])
def test_it_is_the_solution_of_lstsq_whatever_the_batches(rows, size):
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


def test_ridge_stands_on_the_diagonal_of_the_normal_equations(rows):
    features, targets = rows
    kernel, bias, loss = solve(batches(rows, 64), ridge=10.0)
    # A free bias centres the rows.
    centred = features - features.mean(axis=0)
    expected = np.linalg.solve(centred.T @ centred + 10 * np.eye(5), centred.T @ targets)
    np.testing.assert_allclose(kernel, expected, rtol=1e-9)
    np.testing.assert_allclose(bias, (targets - features @ kernel).mean(axis=0), rtol=1e-9)
    assert loss == pytest.approx(np.mean((features @ kernel + bias - targets) ** 2))


def test_of_many_solutions_the_smallest(rows):
    features, targets = rows
    twice = np.concatenate([features, features], axis=1)
    kernel, _, loss = solve(batches((twice, targets), 64))
    np.testing.assert_allclose(kernel[:5], kernel[5:], rtol=1e-6)
    assert loss == pytest.approx(solve(batches(rows, 64))[2])


def test_no_rows():
    with pytest.raises(ZooError, match="Least squares needs one row at least"):
        solve([])


@pytest.fixture
def training():
    """(recipe, train, dev) of a series that is a line and a wave: known to an autoregression."""
    values = tuple(0.1 * i + np.sin(i) for i in range(80))
    recipe = entry("timeseries/ar-laser").recipe().override({"model.context": 4})
    train, dev = recipe.data.split_dev([Segment("wave", values, split="train")], 0.2, 0)
    return recipe.adapt(train + dev), train, dev


def test_a_run_has_what_a_preset_needs(training, tmp_path):
    recipe, train, dev = training
    folder, lines = tmp_path / "run", []
    (row,) = recipe.training.train(
        recipe, train, dev, folder, record={"corpus": None}, log=lines.append
    )
    assert row["nmse"] < 1e-8
    assert row["loss"] < 1e-8
    assert len(lines) == 1
    assert {path.name for path in folder.iterdir()} == {
        "intervals.json",
        "metrics.csv",
        "model.keras",
        "recipe.json",
        "run.json",
    }
    assert "corpus" in json.loads((folder / "run.json").read_text())
    again = recipe.training.train(recipe, train, dev, folder, resume=True, record={"corpus": None})
    assert again == [row]


def test_a_run_is_not_begun_over_another_nor_from_weights(training, tmp_path):
    recipe, train, dev = training
    (tmp_path / "file").touch()
    with pytest.raises(ZooError, match="exists already"):
        recipe.training.train(recipe, train, dev, tmp_path)
    with pytest.raises(ZooError, match="starts from no other weights"):
        recipe.training.train(recipe, train, dev, tmp_path / "run", init=object())
    assert not (tmp_path / "run").exists()
