"""`zoo publish`: a run becomes a preset, or nothing changes."""

import json
import re
import shutil
from pathlib import Path

import pytest

import zoo
from tests.conftest import AN4, AR, RECIPE
from zoo.common.core.errors import ZooError
from zoo.common.presets import card, store
from zoo.common.utils.locks import LOCK_FILE, locked


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """A folder of presets without any."""
    monkeypatch.setattr(store, "ROOT", tmp_path / "saved_models")
    return store.ROOT


def test_publish_makes_a_run_a_preset(run_zoo, refused, tiny_run, root, clips, monkeypatch):
    def cannot_be_fitted(*_, **__):
        raise ZooError("the transcripts are not English.")

    monkeypatch.setattr("zoo.api.comparison.baseline", cannot_be_fitted)
    assert "corpus 'an4' was not found" in refused("publish", tiny_run)
    assert not root.exists()  # a run that cannot be evaluated is not published
    answer = run_zoo("publish", tiny_run, "--data", AN4, "--json")
    assert "No baseline is recorded: the transcripts are not English." in answer.err
    assert answer.status == 0
    assert answer.json["preset"] == RECIPE
    folder = root / RECIPE
    files = {"CARD.md", "alphabet.txt", "metrics.json", "model.keras", "recipe.json"}
    assert names(folder) == files
    assert names(folder.parent) == {folder.name}
    corpus = json.loads((folder / "metrics.json").read_text())["corpus"]
    assert {split: row["examples"] for split, row in corpus["splits"].items()} == {
        "train": 12,
        "test": 10,
    }
    wer = answer.json["metrics"]["wer"]
    (row,) = run_zoo("list", RECIPE, "--json").json["models"]
    assert row["test"] == wer
    assert run_zoo("show", RECIPE, "--json").json["preset"] == store.SHIPPED
    text = (folder / "CARD.md").read_text()
    assert f"{wer:.4f}" in text
    assert f'preset = zoo.load("{RECIPE}")' in text
    assert "Inputs of `model.keras`: `waveform` float32 [batch, samples], `lengths`" in text
    assert f"- Parameters: {zoo.load(RECIPE).model.count_params():,}." in text
    assert "Rates are fractions. The test split was evaluated once." in text
    metrics = zoo.load(RECIPE).metrics
    assert {"id", "reference", "output"} < set(metrics["failures"]["rows"][0])
    assert "## Failures\n\nThe answers on dev with the largest errors" in text
    assert metrics["figures"]["test"]["metrics"]["wer"] == wer
    assert run_zoo("predict", RECIPE, clips[0]).status == 0

    # A second time: every reading of test is counted, those of dev are not.
    assert run_zoo("publish", tiny_run, "--data", AN4).status == 0
    (first, second) = json.loads((folder / "metrics.json").read_text())["test_readings"]
    assert set(first) == {"commit", "date", "metrics"}
    assert second["metrics"] == metrics["figures"]["test"]["metrics"]
    assert "The test split was evaluated 2 times" in (folder / "CARD.md").read_text()


def test_a_card_counts_what_the_data_has():
    """Texts have tokens; word vectors are trained on tokens and evaluated at windows."""
    for name, learnt, measured in (
        ("language/lstm-small-ptb", "tokens", "tokens"),
        ("language/skipgram-enwiki", "tokens", "windows"),
        ("timeseries/lstm-laser", "values", "values"),
        ("speech/tdnn-fsdd", "examples", "examples"),
    ):
        text = (store.folder_of(name) / "CARD.md").read_text()
        assert f"| split | {measured} |" in text
        assert re.search(rf" over \d+ {learnt} \(dev: ", text)


@pytest.mark.parametrize("metric", ["wer", "perplexity"])
def test_a_card_speaks_of_rates_only_where_there_are_some(metric):
    figures = {"dev": {"metrics": {metric: 0.5}}}
    text = card._reading({"figures": figures, "test_readings": []}, metric)
    assert ("Rates are fractions" in text) == (metric == "wer")


def test_a_card_names_what_else_was_measured_on_test():
    captions = {"date": "2026-11-28", "metrics": {"bleu4": 0.25}}
    retrieval = {"date": "2026-11-29", "options": ["--retrieval"], "metrics": {"recall": 0.5}}
    metrics = {"figures": {}, "test_readings": [captions, retrieval]}
    assert (
        "2 times for presets of this name; bleu4: 0.2500 (2026-11-28), "
        "recall 0.5000 (2026-11-29, --retrieval)."
    ) in card._reading(metrics, "bleu4")


@pytest.mark.parametrize("name", ["model.keras", "recipe.json", "alphabet.txt", "run.json"])
def test_an_incomplete_run_is_not_published(refused, tiny_run, name, tmp_path, root):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / name).unlink()
    assert f"{name} is missing" in refused("publish", run, "--data", AN4)
    assert not root.exists()


# A linear model, whose run takes no time ----------------------------------------------------------


@pytest.fixture
def run(ar_run, tmp_path) -> Path:
    """A run to damage."""
    return shutil.copytree(ar_run, tmp_path / "run")


def change(path: Path, **values) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"overfit": 2}, "trained and evaluated on the same 2 examples (--overfit)"),
        ({"corpus": None, "data": "own.csv"}, "the corpus 'timeseries'. Received: 'own.csv'"),
    ],
)
def test_a_run_on_other_examples_is_not_published(refused, run, root, laser_corpus, record, words):
    change(run / "run.json", **record)
    line = refused("publish", run, "--data", laser_corpus)
    assert f"{run} cannot become the preset {AR}" in line
    assert words in line
    assert not root.exists()


@pytest.mark.parametrize("content", ["", "epoch,nmse\n", "epoch,nmse,seconds\n", "nmse\n1\n"])
def test_a_history_without_epochs(refused, run, root, laser_corpus, content):
    (run / "metrics.csv").write_text(content)
    assert "metrics.csv is missing or corrupt" in refused("publish", run, "--data", laser_corpus)


def test_a_history_without_its_figures(refused, run, root, laser_corpus):
    (run / "metrics.csv").write_text("epoch,loss\n1,0.5\n")
    assert "is corrupt: it has no 'seconds'" in refused("publish", run, "--data", laser_corpus)


def test_a_run_in_use_is_not_published(refused, run, root, laser_corpus):
    with locked(run / LOCK_FILE):
        assert f"{run} is in use" in refused("publish", run, "--data", laser_corpus)
    with locked(root / "timeseries" / f".ar-laser{LOCK_FILE}"):
        assert f"{root / AR} is in use" in refused("publish", run, "--data", laser_corpus)
    assert not root.exists()


def test_files_of_a_killed_publication(run_zoo, refused, run, root, laser_corpus):
    """They are not a preset, and the next publication removes them."""
    part = root / "timeseries" / ".part-ar-laser~1"
    shutil.copytree(run, part)
    assert store.names() == []
    assert "Did you mean" not in refused("predict", "timeseries/.part-ar-laser~2", "x")
    assert run_zoo("publish", run, "--data", laser_corpus).status == 0
    assert names(root / "timeseries") == {"ar-laser"}
    assert store.names() == [AR]


def test_a_preset_stays_if_the_new_one_cannot_be_evaluated(
    run_zoo, refused, run, root, laser_corpus
):
    assert run_zoo("publish", run, "--data", laser_corpus).status == 0
    before = {path: path.read_bytes() for path in (root / AR).iterdir()}
    assert "Received: 'none'" in refused("publish", run, "--data", laser_corpus, "--split", "none")
    assert {path: path.read_bytes() for path in (root / AR).iterdir()} == before
    assert names(root / "timeseries") == {"ar-laser"}
