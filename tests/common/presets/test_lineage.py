"""Test the lineage of weights: trainings are recorded from run to run, and listed on the card."""

import json
from pathlib import Path

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.presets import card, runs, store
from zoo.common.presets.lineage import EARLIER, summarize, trainings

RECIPE = entry("speech/bilstm-ctc-an4").recipe()


@pytest.fixture
def run(tmp_path) -> Path:
    """Return the records of a run of two epochs."""
    store.save_recipe(tmp_path, RECIPE.override({"training.epochs": 2}))
    runs.write_json(tmp_path / runs.RUN_FILE, {"init": None})
    rows = [{"epoch": 1, "wer": 0.5, "seconds": 601}, {"epoch": 2, "wer": 0.7, "seconds": 1200}]
    runs.write_history(tmp_path, rows)
    return tmp_path


def test_a_run_that_starts_from_a_run(run):
    (first,) = trainings(run)
    assert first["history"] == {"epochs": 2, "best_epoch": 1, "minutes": 30.0}
    assert first["settings"]["training.epochs"] == 2
    assert all(key.startswith(("optimizer.", "training.")) for key in first["settings"])
    runs.write_json(run / runs.RUN_FILE, {"init": "a", EARLIER: [first]})
    assert trainings(run) == [first, first]
    json.dumps(trainings(run))


def test_a_history_without_a_column(run):
    runs.write_history(run, [{"epoch": 1, "wer": 0.5}])
    with pytest.raises(ZooError, match="is corrupt: it has no 'seconds'"):
        summarize(run, RECIPE)


def test_a_preset(run):
    history = {"epochs": 7, "best_epoch": 3, "minutes": 1.5}
    runs.write_json(run / store.METRICS_FILE, {"training": {"history": history}})
    assert [training["history"] for training in trainings(run)] == [history]


def test_the_card_lists_each_training(run):
    training = {
        "history": summarize(run, RECIPE),
        "examples": {"train": 8, "dev": 2},
        "init": "speech/a",
        EARLIER: trainings(run),
    }
    text = card._training(training, RECIPE)
    assert "Its initial weights are those of `speech/a`. Earlier training 1: 2 epochs" in text
    assert text.endswith("30 minutes, `training.epochs=2`.")
    same = card._training(training, RECIPE.override({"training.epochs": 2}))
    assert same.endswith("30 minutes, with the same settings.")


def test_weights_without_a_record(run):
    (run / runs.RUN_FILE).unlink()
    assert trainings(run) == []


@pytest.mark.parametrize("content", ["[]", '{"training": 5}', '{"training": {"history": []}}'])
def test_a_corrupt_record(run, content):
    (run / store.METRICS_FILE).write_text(content)
    words = r"metrics\.json is corrupt: it is not the record of a training"
    with pytest.raises(ZooError, match=words):
        trainings(run)
