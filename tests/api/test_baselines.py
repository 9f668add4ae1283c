"""`zoo.baseline` and `zoo baseline`: the choice on dev, the result, and bad input."""

import importlib.util
import json

import numpy as np
import pytest

import zoo
from zoo.common.metrics.bootstrap import bootstrap_intervals

HELLO = "language/charlstm-hello"
TEXTS = "language/bilstm-sst2"
LINES = (
    ("a quiet joy from its first scene to its last", "good"),
    ("a dull , noisy and endless film", "bad"),
    ("moving , funny and wise", "good"),
    ("what a waste of a noisy story", "bad"),
)


@pytest.fixture
def manifest(tmp_path):
    """Return a function that writes texts with labels and splits."""

    def write(rows):
        path = tmp_path / "texts.jsonl"
        keys = ("text", "label", "split")
        path.write_text(
            "".join(json.dumps(dict(zip(keys, row, strict=True))) + "\n" for row in rows)
        )
        return path

    return write


def in_splits(*splits):
    return [(*line, split) for split in splits for line in LINES]


def test_result():
    result = zoo.baseline(HELLO)
    assert result.baseline == "Kneser-Ney 6-grams"
    assert result.metrics["nats_per_char"] < 0.01  # the word is repeated
    low, high = result.intervals["nats_per_char"]
    assert low <= result.metrics["nats_per_char"] <= high
    assert result.to_dict()["candidates"] == result.table()
    assert len(result.table()) == 1
    assert all(len(line) <= 80 for line in repr(result).splitlines())


def test_command_on_your_own_examples(run_zoo, manifest):
    path = manifest(in_splits("train", "dev", "test"))
    answer = run_zoo("baseline", TEXTS, "--manifest", path, "--split", "test", "--json").json
    assert answer["metrics"]["accuracy"] == 1.0  # test has the texts of train
    assert (answer["split"], answer["examples"]) == ("test", 4)
    assert answer["baseline"].startswith("NB-SVM")
    assert run_zoo("baseline", TEXTS, "--manifest", path, "--json").json["split"] == "dev"
    lines = run_zoo("baseline", TEXTS, "--manifest", path).out.splitlines()
    assert lines[0] == f"{TEXTS} on {path}, dev"
    assert lines[3].startswith("95 % interval: accuracy 1.0000 to 1.0000")


def test_best_on_dev_is_evaluated(laser_corpus):
    result = zoo.baseline("timeseries/ar-laser", data=laser_corpus, split="dev")
    best = min(result.candidates, key=lambda row: row["nmse"])
    assert result.baseline == best["baseline"]
    assert result.metrics["nmse"] == pytest.approx(best["nmse"], abs=1e-6)
    assert len(result.candidates) > 3


def test_recipe_without_baseline(refused, monkeypatch):
    monkeypatch.setattr("zoo.api.baseline.Baselines", type("Others", (), {}))
    assert f"{TEXTS} has no baseline" in refused("baseline", TEXTS)


def test_package_that_is_not_installed(refused, monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "sklearn" else real(name)
    )
    line = refused("baseline", TEXTS)
    assert "sklearn is not installed: pip install 'recurrent-zoo[baselines]'" in line
    assert zoo.baseline(HELLO).examples  # n-grams do not need it


@pytest.mark.parametrize("split", ["train", "all"])
def test_splits_with_training_examples_are_refused(refused, split):
    assert "split must not contain the training examples" in refused(
        "baseline", HELLO, "--split", split
    )


def test_one_class(refused, manifest):
    rows = [row for row in in_splits("train", "dev") if row[1:] != ("bad", "train")]
    line = refused("baseline", TEXTS, "--manifest", manifest(rows))
    assert "at least two classes. Received: 2 examples of the class 'good'" in line


def test_empty_splits(refused, manifest):
    path = manifest(in_splits("train", "dev"))
    assert "test" in refused("baseline", TEXTS, "--manifest", path, "--split", "test")
    only_dev = manifest(in_splits("dev"))
    assert "Received: 'train'" in refused("baseline", TEXTS, "--manifest", only_dev)
    one = manifest([(*LINES[0], None)])
    assert "Two examples are needed" in refused("baseline", TEXTS, "--manifest", one)


def test_seed_is_checked(refused):
    assert "seed must be" in refused("baseline", HELLO, "--seed", "-1")


def test_interval_of_a_mean():
    generator = np.random.default_rng(0)
    rows = [{"id": i, "x": x} for i, x in enumerate(generator.normal(size=400).tolist())]
    values = np.array([row["x"] for row in rows])

    def mean(drawn):
        return {"mean": float(np.mean([row["x"] for row in drawn]))}

    low, high = bootstrap_intervals(mean, rows, 0)["mean"]
    half = 1.96 * values.std() / 20
    assert low == pytest.approx(values.mean() - half, abs=0.02)
    assert high == pytest.approx(values.mean() + half, abs=0.02)
    assert bootstrap_intervals(mean, rows, 0) == bootstrap_intervals(mean, rows, 0)


def test_rows_of_one_id_are_drawn_together():
    rows = [{"id": i // 2, "sign": (-1) ** i} for i in range(20)]
    total = bootstrap_intervals(lambda drawn: {"sum": sum(r["sign"] for r in drawn)}, rows, 0)
    assert total["sum"] == (0, 0)


def test_settings_choose_the_columns(run_zoo, tmp_path):
    path = tmp_path / "sales.csv"
    rows = "".join(f"{i % 3},{7 * i % 11}\n" for i in range(60))
    path.write_text(f"apples,pears\n{rows}")
    both = zoo.baseline("timeseries/ar-laser", manifest=path)
    chosen = {"data.target": "apples", "model.context": 3}
    one = zoo.baseline("timeseries/ar-laser", manifest=path, overrides=chosen)
    assert both.examples == 2 * one.examples
    assert one.metrics["nmse"] < 0.01  # apples repeat after three steps
    command = ("baseline", "timeseries/ar-laser", "--manifest", path, "--set", "model.context=3")
    answer = run_zoo(*command, "--target", "apples", "--json").json
    assert answer["metrics"] == one.metrics
