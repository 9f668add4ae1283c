"""The threshold of a classifier is chosen on dev and stored in its run."""

import json

import pytest

import zoo
from tests.api.test_init import digits_as
from zoo.common.core.errors import ZooError

NAME = "speech/tdnn-fsdd"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("threshold")
    manifest = digits_as(folder, {"7": "none"})
    overrides = {"training.epochs": 1, "optimizer.learning_rate": 1e-3}
    zoo.train(NAME, manifest=manifest, init=NAME, out=folder / "run", overrides=overrides)
    return folder / "run"


def test_threshold_is_stored(run_zoo, run):
    manifest = run.parent / "digits.csv"
    plots = run.parent / "plots"
    rows = run.parent / "rows.jsonl"
    arguments = ("--choose-threshold", "--plots", plots, "--rows", rows)
    answer = run_zoo("evaluate", run, "--manifest", manifest, *arguments)
    assert answer.status == 0
    stored = json.loads((run / "recipe.json").read_text())["decoder"]["min_confidence"]
    assert 0.01 <= stored <= 0.99
    line = f"min_confidence {stored:g}: mean F1"
    assert f"Stored in {run}: {line}" in answer.out
    assert json.loads((run / "run.json").read_text())["threshold"].startswith(line)
    assert (plots / "thresholds.png").is_file()
    # The classes 0 and 1; the background "none" is not detected.
    table = (plots / "thresholds.csv").read_text().splitlines()
    assert {row.split(",")[0] for row in table[1:]} == {"0", "1"}
    assert len(rows.read_text().splitlines()) == 3  # dev
    clip = manifest.read_text().splitlines()[1].split(",")[0]
    (found,) = zoo.load(str(run)).predict(clip)
    assert found["output"] == "" or found["probability"] >= stored
    # A run with a threshold can still be resumed.
    zoo.train(
        NAME,
        manifest=manifest,
        init=NAME,
        out=run,
        resume=True,
        overrides={"training.epochs": 2, "optimizer.learning_rate": 1e-3},
    )


def test_invalid_choices(run):
    with pytest.raises(ZooError, match=r"A threshold must be chosen on dev\. Received: 'train'"):
        zoo.evaluate(run, split="train", choose_threshold=True)
    with pytest.raises(ZooError, match="A threshold is stored in the folder of a run"):
        zoo.evaluate(NAME, choose_threshold=True)
    with pytest.raises(ZooError, match="has no threshold: it is not a classifier"):
        zoo.evaluate("language/charlstm-hello", choose_threshold=True)
