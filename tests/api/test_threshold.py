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
    with pytest.raises(ZooError, match="must be given as a folder"):
        zoo.evaluate(NAME, choose_threshold=True)
    with pytest.raises(ZooError, match="has no threshold"):
        zoo.evaluate("language/charlstm-hello", choose_threshold=True)


@pytest.mark.slow
def test_the_confidence_of_dev_is_stored_in_a_run(run_zoo, tmp_path):
    """The threshold of the warning of a model that generates texts."""
    run = tmp_path / "translator"
    lines = [f"a dog number {i}\tein Hund Nummer {i}\n" for i in range(120)]
    path = tmp_path / "talk.tsv"
    path.write_text("".join(lines))
    sizes = {"model.embedding_size": 4, "model.encoder_size": 4, "model.hidden_size": 4}
    zoo.train(
        "language/seq2seq-multi30k-en-de",
        manifest=path,
        out=run,
        overrides={
            **sizes,
            "data.num_pieces": 60,
            "training.epochs": 1,
            "training.dev_fraction": 0.5,
            "decoder.max_length": 3,
        },
    )
    answer = run_zoo("evaluate", run, "--manifest", path, "--choose-threshold")
    stored = json.loads((run / "recipe.json").read_text())["decoder"]["warn_below"]
    assert f"Stored in {run}: warn_below {stored:g}: confidence of 1 of 60 examples" in answer.out
    answer = run_zoo("predict", run, "a dog number 3", "--warn-below", "1", "--jsonl")
    assert answer.json["warning"].startswith("this input is unlike the training data")
    answer = run_zoo("predict", run, "a dog number 3", "--warn-below", "1")
    assert "a dog number 3: this input is unlike the training data: the confidence" in answer.err
    assert "warning" not in run_zoo("predict", run, "a dog number 3", "--warn-below", "0").out
