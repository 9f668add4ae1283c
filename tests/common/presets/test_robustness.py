"""Figures of changed inputs, and times, in metrics.json and in the card of a preset."""

import json
import shutil

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.presets import store
from zoo.common.presets.card import write_card
from zoo.common.presets.measurements import read_metrics, record_robustness, record_speed

NAME = "speech/tdnn-fsdd"


def test_the_card_states_the_worst_changes(tmp_path):
    folder = tmp_path / "preset"
    shutil.copytree(store.folder_of(NAME), folder)
    record_robustness(folder, "accuracy", 30, 0.9, {"noise": 0.25, "-40 dB": 0.5})
    write_card(folder)
    text = " ".join((folder / store.CARD_FILE).read_text().split())
    assert "On 30 inputs of dev, accuracy is 0.9000 as they are." in text
    assert "(docs/robustness.md): noise: 0.2500; -40 dB: 0.5000." in text
    record_speed(folder, {"onnx": 0.25, "litert": 12.5})
    write_card(folder)
    text = (folder / store.CARD_FILE).read_text()
    assert "on one thread: ONNX Runtime 0.2 ms, LiteRT 12.5 ms." in text
    metrics = read_metrics(folder)
    metrics["robustness"]["worst"] = {"noise": "high"}
    (folder / store.METRICS_FILE).write_text(json.dumps(metrics))
    with pytest.raises(ZooError, match="is corrupt"):
        read_metrics(folder)
