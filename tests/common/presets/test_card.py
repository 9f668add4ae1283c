"""Test the sentences and tables of a card, and the checks of metrics.json."""

import copy
import json

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.presets import card, measurements
from zoo.common.presets.lineage import schedule

READING = {"date": "2026-01-02", "metrics": {"wer": 0.125}}
METRICS = {
    "training": {
        "examples": {"train": 90, "dev": 10},
        "init": None,
        "history": {"epochs": 3, "best_epoch": 2, "minutes": 1.6},
        "earlier": [{"history": {"epochs": 5, "minutes": 2.4}, "settings": {}}],
    },
    "figures": {
        "dev": {
            "examples": 10,
            "date": "2026-01-01",
            "command": "zoo evaluate speech/a --data b --split dev",
            "metrics": {"wer": 0.25, "cer": 0.0625},
        },
    },
    "test_readings": [READING],
}


def test_figures_are_a_table():
    assert card._figures(METRICS["figures"], "utterances").split("\n") == [
        "| split | utterances | wer | cer | command |",
        "| --- | --- | --- | --- | --- |",
        "| dev | 10 | 0.2500 | 0.0625 | `zoo evaluate speech/a --data b --split dev` |",
    ]
    assert card.corpus_argument(METRICS["figures"], "speech/a") == " --data b"


@pytest.mark.parametrize(
    ("readings", "expected"),
    [
        ([], "Rates are fractions. No test example was used in training."),
        (
            [READING],
            "Rates are fractions. The test split was evaluated once. No test example was used in "
            "training.",
        ),
        (
            [READING, READING],
            "Rates are fractions. The test split was evaluated 2 times for presets of this name; wer: "
            "0.1250 (2026-01-02), 0.1250 (2026-01-02). No test example was used in training.",
        ),
    ],
)
def test_readings_of_the_test_split(readings, expected):
    assert card._reading(METRICS | {"test_readings": readings}, "wer") == expected


def test_metrics_that_are_no_rates():
    figures = {"dev": {"metrics": {"perplexity": 100.0}}}
    found = card._reading({"figures": figures, "test_readings": []}, "perplexity")
    assert found == "No test example was used in training."


def test_training_in_words():
    recipe = entry("speech/bilstm-ctc-an4").recipe()
    training = METRICS["training"]
    earlier = {"history": {"epochs": 5, "minutes": 2.4}, "settings": schedule(recipe)}
    other = earlier | {"settings": schedule(recipe) | {"optimizer.learning_rate": 0.5}}
    found = card._training(training | {"earlier": [earlier, other]}, recipe, " --data b")
    assert found == (
        "`zoo train speech/bilstm-ctc-an4 --data b`: 3 epochs over 90 examples (dev: 10), 2 minutes "
        "(hardware: not measured). "
        "The preset is the model after epoch 2, which had the best "
        f"{recipe.task.monitor} on dev. "
        "Earlier training 1: 5 epochs, 2 minutes, with the same settings. "
        "Earlier training 2: 5 epochs, 2 minutes, `optimizer.learning_rate=0.5`."
    )
    found = card._training(training | {"processors": 2}, recipe)
    assert "(dev: 10), 2 minutes (2 CPU cores). The preset" in found
    once = training | {"history": {"epochs": 1, "minutes": 0.2}, "init": "speech/a", "earlier": []}
    assert card._training(once, recipe) == (
        "`zoo train speech/bilstm-ctc-an4`: 1 epoch over 90 examples (dev: 10), 0 minutes (hardware: "
        "not measured). Its initial weights are those of `speech/a`."
    )


def _changed(*keys, value=None):
    """Return the metrics with another value at nested keys, or without them."""
    metrics = copy.deepcopy(METRICS)
    inner = metrics
    for key in keys[:-1]:
        inner = inner[key]
    if value is None:
        del inner[keys[-1]]
    else:
        inner[keys[-1]] = value
    return metrics


@pytest.mark.parametrize(
    ("metrics", "reason"),
    [
        (_changed("training"), "it has no 'training'"),
        (_changed("training", "history", "epochs"), "it has no 'epochs'"),
        (_changed("training", "history", "minutes", value="3"), "'3' must be a number"),
        (_changed("training", "history", "best_epoch", value="x"), "invalid literal"),
        (_changed("training", "earlier", 0, "settings"), "it has no 'settings'"),
        (_changed("training", "earlier", 0, "history", "minutes"), "it has no 'minutes'"),
        (_changed("training", "examples", "dev"), "it has no 'dev'"),
        (_changed("figures", "dev", "examples", value="x"), "'x' must be a number"),
        (_changed("figures", "dev", "command"), "it has no 'command'"),
        (_changed("figures", "dev", "date"), "it has no 'date'"),
        (_changed("figures", "dev", "metrics", "wer", value="x"), "'x' must be a number"),
        (
            _changed("figures", "test", value={"metrics": {"wer": 1}}),
            "its splits have different metr",
        ),
        (_changed("test_readings"), "it has no 'test_readings'"),
        (_changed("test_readings", 0, "metrics", value={"wer": "x"}), "'x' must be a number"),
        ([], "must be integers"),
    ],
)
def test_corrupt_metrics(tmp_path, metrics, reason):
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(METRICS))
    assert card.read_metrics(tmp_path) == METRICS
    path.write_text(json.dumps(metrics))
    with pytest.raises(ZooError, match=f"metrics.json is corrupt: .*{reason}"):
        card.read_metrics(tmp_path)


def test_an_evaluation_without_metrics(tmp_path):
    metrics = _changed("figures", value={})
    metrics["test_readings"][0]["metrics"] = {}
    (tmp_path / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(ZooError, match="is corrupt: an evaluation has no metrics"):
        card.read_metrics(tmp_path)


def test_metrics_begin_with_the_readings_of_the_preset_before(tmp_path):
    assert card.read_metrics(tmp_path) == {}
    measurements.begin_metrics(tmp_path, METRICS["training"], {})
    begun = {"training": METRICS["training"], "figures": {}, "test_readings": []}
    assert json.loads((tmp_path / "metrics.json").read_text()) == begun
    measurements.begin_metrics(tmp_path, METRICS["training"], METRICS)
    assert json.loads((tmp_path / "metrics.json").read_text())["test_readings"] == [READING]
