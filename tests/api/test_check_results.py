"""Presets that are evaluated again."""

import json
import shutil

import pytest

from zoo.api import check_results as module
from zoo.api.check_results import DIFFERENT, EQUAL, NOT_MEASURED, check_results
from zoo.common.core.errors import ZooError
from zoo.common.presets import store

NAME = "language/charlstm-hello"


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Return the folder of a copy of a preset, whose corpus is in the package."""
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    folder = store.home() / NAME
    shutil.copytree(store.folder_of(NAME), folder)
    return folder


def test_equal_metrics_are_measured_once(own, tmp_path, monkeypatch):
    rows = list(check_results(tmp_path, NAME))
    assert [(row["split"], row["state"]) for row in rows] == [("dev", EQUAL), ("test", EQUAL)]
    monkeypatch.setattr(module, "evaluate", None)
    assert list(check_results(tmp_path, NAME)) == rows


def test_different_metric_and_missing_corpus(own, tmp_path):
    path = own / "metrics.json"
    metrics = json.loads(path.read_text())
    metrics["figures"]["dev"]["metrics"]["nats_per_char"] += 0.01
    path.write_text(json.dumps(metrics))
    states = {row["split"]: row["state"] for row in check_results(tmp_path, NAME)}
    assert states == {"dev": DIFFERENT, "test": EQUAL}
    (row, other) = check_results(tmp_path, "timeseries/ar-laser")
    assert row["state"] == other["state"] == NOT_MEASURED
    assert "no such folder" in row["error"]


def test_invalid_arguments(tmp_path):
    with pytest.raises(ZooError, match="must exist"):
        list(check_results(tmp_path / "none"))
    with pytest.raises(ZooError, match="No recipe matches"):
        list(check_results(tmp_path, "none/*"))
