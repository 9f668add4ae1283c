"""`zoo publish`: a run becomes a preset, or nothing changes."""

import json
import shutil
from pathlib import Path

import pytest

import zoo
from tests.conftest import AN4, RECIPE
from zoo.common.presets import card, store


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def root(tmp_path, monkeypatch) -> Path:
    """A folder of presets without any."""
    monkeypatch.setattr(store, "ROOT", tmp_path / "saved_models")
    return store.ROOT


def test_publish_makes_a_run_a_preset(run_zoo, refused, tiny_run, root, clips):
    assert "Where is the corpus" in refused("publish", tiny_run)
    assert not root.exists()  # what cannot be measured is not published
    answer = run_zoo("publish", tiny_run, "--data", AN4, "--json")
    assert answer.status == 0
    assert answer.json["preset"] == RECIPE
    folder = root / RECIPE
    files = {"CARD.md", "alphabet.txt", "metrics.json", "model.keras", "recipe.json"}
    assert names(folder) == files
    assert names(folder.parent) == {folder.name}
    wer = answer.json["metrics"]["wer"]
    (row,) = run_zoo("list", RECIPE, "--json").json["models"]
    assert row["test"] == wer
    assert run_zoo("show", RECIPE, "--json").json["shipped"]
    text = (folder / "CARD.md").read_text()
    assert f"{wer:.4f}" in text
    assert "Rates are fractions. The test split was measured once." in text
    metrics = zoo.load(RECIPE).metrics
    assert metrics["figures"]["test"]["metrics"]["wer"] == wer
    assert run_zoo("predict", RECIPE, clips[0]).status == 0

    # A second time: every reading of test is counted, those of dev are not.
    assert run_zoo("publish", tiny_run, "--data", AN4).status == 0
    (first, second) = json.loads((folder / "metrics.json").read_text())["test_readings"]
    assert set(first) == {"commit", "date", "metrics"}
    assert second["metrics"] == metrics["figures"]["test"]["metrics"]
    assert "The test split was measured 2 times" in (folder / "CARD.md").read_text()


@pytest.mark.parametrize("metric", ["wer", "perplexity"])
def test_a_card_speaks_of_rates_only_where_there_are_some(metric):
    figures = {"dev": {"metrics": {metric: 0.5}}}
    text = card._reading({"figures": figures, "test_readings": []}, metric)
    assert ("Rates are fractions" in text) == (metric == "wer")


@pytest.mark.parametrize("name", ["model.keras", "recipe.json", "alphabet.txt", "run.json"])
def test_an_incomplete_run_is_not_published(refused, tiny_run, name, tmp_path, root):
    run = shutil.copytree(tiny_run, tmp_path / "run")
    (run / name).unlink()
    assert f"{name} is missing" in refused("publish", run, "--data", AN4)
    assert not root.exists()
