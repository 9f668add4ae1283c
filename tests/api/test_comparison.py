"""Comparisons with baselines: in trainings, in metrics.json and cards, and in lists."""

import importlib.util
import io
import json
from contextlib import redirect_stderr
from dataclasses import replace

import pytest

import zoo
from zoo.api import train_baseline
from zoo.api.comparison import _difference
from zoo.api.listing import list_rows
from zoo.api.results import BaselineResult, EvaluateResult
from zoo.api.sources import TrainingExamples
from zoo.common.core import registry
from zoo.common.presets import store
from zoo.common.presets.measurements import read_metrics

HELLO = "language/charlstm-hello"
TEXTS = "language/bilstm-sst2"
# One epoch of eight units: worse than n-grams, which learn the word by heart.
POOR = {"training.epochs": 1, "model.hidden_size": 8}


def without_sklearn(monkeypatch):
    real = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name == "sklearn" else real(name)
    )


@pytest.fixture(scope="module")
def poor_run(tmp_path_factory):
    """Return the result of a poor training after its baseline, and what it wrote to stderr."""
    with pytest.MonkeyPatch.context() as patch, redirect_stderr(io.StringIO()) as err:
        # The other tests leave out baselines.
        patch.setattr("zoo.api.train.fit_baseline", train_baseline.fit_baseline)
        result = zoo.train(HELLO, out=tmp_path_factory.mktemp("poor") / "run", overrides=POOR)
    return result, err.getvalue()


def test_training_says_that_the_model_is_below_the_baseline(poor_run):
    result, err = poor_run
    assert result.baseline["name"] == "Kneser-Ney 6-grams"
    assert result.baseline["compared"] == "worse"
    assert result.to_dict()["baseline"] == result.baseline
    lines = [line for line in err.splitlines() if "aseline" in line]
    assert lines[0].startswith("Baseline: Kneser-Ney 6-grams: dev nats_per_char 0.0")
    assert lines[1].startswith("The model is below the baseline on dev: nats_per_char ")
    assert err.index(lines[0]) < err.index("epoch 1/1") < err.index(lines[1])


@pytest.mark.parametrize(
    ("value", "compared", "words"),
    [
        (0.9, "better", "is better than the baseline on dev: accuracy 0.9000, baseline 0.7500"),
        (0.8, "equal", "and the baseline are equal on dev"),
        (0.6, "worse", "is below the baseline on dev"),
    ],
)
def test_difference_inside_the_interval_is_equal(capsys, value, compared, words):
    baseline = {"name": "SVM", "metric": "accuracy", "value": 0.75, "interval": [0.7, 0.8]}
    found = train_baseline.compare_with_baseline(baseline, {"accuracy": value})
    assert found == baseline | {"compared": compared}
    assert words in capsys.readouterr().err
    assert train_baseline.compare_with_baseline({}, {"accuracy": value}) == {}


def test_baseline_that_cannot_be_fitted(tmp_path, monkeypatch, capsys):
    path = tmp_path / "texts.jsonl"
    path.write_text('{"text": "film a", "label": "good"}\n{"text": "film b", "label": "good"}\n')
    recipe = registry.entry(TEXTS).recipe().from_scratch()
    rows = recipe.data.read_manifest(path)
    recipe = recipe.adapt([*rows, replace(rows[0], label="bad")])
    examples = TrainingExamples(rows, rows)
    assert train_baseline.fit_baseline(recipe, examples, 2) == {}
    assert "No baseline is fitted: A baseline needs training examples of at least two classes" in (
        capsys.readouterr().err
    )
    without_sklearn(monkeypatch)
    assert train_baseline.fit_baseline(recipe, examples, 2) == {}
    assert "No baseline is fitted: sklearn is not installed: pip install" in capsys.readouterr().err


def test_large_data_and_recipes_without_baselines(capsys):
    recipe = registry.entry(TEXTS).recipe()
    assert train_baseline.fit_baseline(recipe, None, recipe.data.baseline_limit + 1) == {}
    assert train_baseline.fit_baseline(registry.entry("language/kn5-ptb").recipe(), None, 1) == {}
    other = registry.entry("speech/bilstm-ctc-an4").recipe()
    assert train_baseline.fit_baseline(other, None, 1) == {}
    assert capsys.readouterr().err == ""


def test_published_preset_states_its_baseline(poor_run, run_zoo, tmp_path, monkeypatch):
    monkeypatch.setattr(store, "ROOT", tmp_path / "saved_models")
    assert run_zoo("publish", poor_run[0].run).status == 0
    folder = store.ROOT / HELLO
    metrics = json.loads((folder / "metrics.json").read_text())
    baseline = metrics["baseline"]
    assert baseline["name"] == "Kneser-Ney 6-grams"
    assert (baseline["metric"], baseline["compared"]) == ("nats_per_char", "worse")
    low, high = baseline["difference"]
    value = metrics["figures"]["test"]["metrics"]["nats_per_char"]
    difference = value - baseline["metrics"]["nats_per_char"]
    assert 0 < low <= high
    assert low == pytest.approx(difference, rel=1e-4)  # all lines are equal
    assert "nats_per_char" in metrics["figures"]["test"]["intervals"]
    # Both evaluations on test are counted.
    network, simple = metrics["test_readings"]
    assert "options" not in network
    assert simple["options"] == ["baseline, Kneser-Ney 6-grams"]
    text = (folder / "CARD.md").read_text()
    assert text.startswith(f"# {HELLO}\n\n**Worse than a simple baseline, Kneser-Ney 6-grams")
    assert "The test split was evaluated 2 times" in text
    (row,) = run_zoo("list", HELLO, "--json").json["models"]
    assert row["better"] == f"zoo baseline {HELLO}"
    assert f"{HELLO} is worse than zoo baseline {HELLO}" in run_zoo("list", HELLO).out
    change = metrics | {"baseline": baseline | {"compared": "good"}}
    (folder / "metrics.json").write_text(json.dumps(change))
    with pytest.raises(zoo.ZooError, match=r"metrics.json is corrupt: its comparison is 'good'"):
        read_metrics(folder)


def test_publishing_needs_the_packages_of_the_baseline(refused, ar_run, monkeypatch, tmp_path):
    monkeypatch.setattr(store, "ROOT", tmp_path)
    without_sklearn(monkeypatch)
    line = refused("publish", ar_run)
    assert "sklearn is not installed: pip install 'recurrent-zoo[baselines]'" in line
    assert list(tmp_path.iterdir()) == []


def test_better_preset_of_the_corpus_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(store, "ROOT", tmp_path)
    for name, test, baseline in (
        ("timeseries/lstm-sunspots", 0.30, 0.18),
        ("timeseries/ar-sunspots", 0.17, None),
    ):
        folder = tmp_path / name
        folder.mkdir(parents=True)
        metrics = {"figures": {"test": {"metrics": {"nmse": test}}}}
        if baseline:
            metrics["baseline"] = {"compared": "worse", "metrics": {"nmse": baseline}}
        (folder / "metrics.json").write_text(json.dumps(metrics))
    better = {row["name"]: row["better"] for row in list_rows("timeseries/*-sunspots")}
    assert better["timeseries/lstm-sunspots"] == "timeseries/ar-sunspots"
    assert better["timeseries/ar-sunspots"] is None


def test_interval_of_the_difference_uses_the_same_resamples():
    """Two models with the same errors differ by 0, whichever examples are drawn."""
    recipe = registry.entry("timeseries/ar-laser").recipe()
    rows = [{"id": "laser", "reference": float(i), "output": i + 0.5} for i in range(30)]
    worse = [row | {"output": row["reference"] + 2.0} for row in rows]

    def difference(first, second):
        result = EvaluateResult("a", "laser", "test", 30, 0.0, {}, rows=first)
        simple = BaselineResult("a", "b", "laser", "test", 30, {}, {}, {}, 0.0, 0.0, 0, rows=second)
        return _difference(recipe, "nmse", result, simple)

    assert difference(rows, rows) == [0, 0]
    low, high = difference(rows, worse)
    assert low <= high < 0
