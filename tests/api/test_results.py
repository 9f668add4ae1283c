"""Result objects: short texts, tables, JSON."""

import builtins
import json

import pytest

import zoo
from zoo.api.answers import Predictions
from zoo.api.display import html_table, short
from zoo.api.results import EvaluateResult, ExportResult

RESULTS = (
    Predictions("preset", tuple({"input": f"{i}", "output": "long " * 100} for i in range(100))),
    EvaluateResult("preset", "corpus", "test", 3, 1.0, {"wer": 0.5}, rows=[{"id": "a"}] * 100),
    ExportResult("preset", [{"format": "onnx", "max_difference": None}], ["failed " * 50]),
)


@pytest.mark.parametrize("result", RESULTS, ids=lambda result: type(result).__name__)
def test_texts_are_short(result):
    lines = repr(result).splitlines()
    assert len(lines) <= 8
    assert all(len(line) <= 80 for line in lines)
    assert len(result._repr_html_()) < 4000
    json.dumps(result.to_dict())


def test_long_lists_are_cut():
    assert repr(RESULTS[0]).splitlines()[-1] == "... 95 more"
    assert "95 more rows" in RESULTS[0]._repr_html_()
    assert short("a\n b" + "c" * 100).startswith("a bccc")


def test_html_is_escaped():
    assert "<b>" not in html_table([{"text": "<b>"}])


def test_pandas():
    pytest.importorskip("pandas")
    frame = RESULTS[0].to_pandas()
    assert list(frame.columns) == ["input", "output"]


def test_without_pandas(monkeypatch):
    real = builtins.__import__

    def blocked(name, *arguments, **keywords):
        if name == "pandas":
            raise ImportError
        return real(name, *arguments, **keywords)

    monkeypatch.setattr(builtins, "__import__", blocked)
    with pytest.raises(zoo.ZooError, match="pip install pandas"):
        RESULTS[0].to_pandas()


def test_a_preset_has_a_short_repr():
    preset = zoo.load("language/charlstm-hello")
    lines = repr(preset).splitlines()
    assert len(lines) == 3
    assert lines[0] == "Preset language/charlstm-hello: LSTMLanguageModel"
    assert "nats_per_char" in lines[1]
    assert lines[2].startswith("keras, ")
    assert preset._repr_html_().startswith("<pre>")
