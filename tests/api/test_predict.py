"""`zoo.predict`, `zoo.score` and `zoo.plot`: inputs as paths and objects, and presets."""

import numpy as np
import pytest
import soundfile

import zoo
from tests.conftest import AN4
from zoo.timeseries.forecasting.data import SAMPLE

SENTIMENT = "language/bilstm-sst2"
TEXTS = ["a gripping film", "a dull film"]


def test_one_input_or_a_list():
    many = zoo.predict(SENTIMENT, TEXTS)
    assert many.outputs == ["positive", "negative"]
    assert [answer["input"] for answer in many] == TEXTS
    one = zoo.predict(SENTIMENT, TEXTS[0])
    assert list(one) == [many[0]]
    assert many.to_dict() == {"preset": SENTIMENT, "predictions": list(many)}
    lines = repr(many).splitlines()
    assert lines == [f"{SENTIMENT}: 2 answers", *(f"{a['input']}: {a['output']}" for a in many)]
    assert "<table>" in many._repr_html_()


def test_an_invalid_input_has_an_error():
    answers = zoo.predict(SENTIMENT, ["", TEXTS[0]])
    assert "error" in answers[0]
    assert answers.outputs == [None, "positive"]


def test_a_loaded_preset():
    preset = zoo.load(SENTIMENT)
    assert list(zoo.predict(preset, TEXTS)) == list(preset.predict(TEXTS))
    assert list(preset.predict(TEXTS[0])) == list(preset.predict(TEXTS[:1]))


def test_options_are_checked():
    with pytest.raises(zoo.ZooError, match="has no option --width"):
        zoo.predict(SENTIMENT, TEXTS, options={"width": 3})
    with pytest.raises(zoo.ZooError, match="must be one of 'auto', 'keras'"):
        zoo.predict(SENTIMENT, TEXTS, runtime="torch")


def test_a_waveform(tiny_run, clips):
    waveform, rate = soundfile.read(clips[0], dtype="float32")
    by_path, by_array = zoo.predict(tiny_run, [clips[0], (waveform, rate)])
    assert by_array["output"] == by_path["output"]
    assert by_array["input"] == "<tuple>"
    assert by_array["seconds"] == by_path["seconds"]


def test_a_folder_of_recordings(tiny_run):
    answers = zoo.predict(tiny_run, AN4 / "test" / "fcaw")
    assert len(answers) == len(list((AN4 / "test" / "fcaw").glob("*.flac")))


def test_a_series(ar_run):
    values = np.array([float(line) for line in SAMPLE.read_text().split()])
    by_path, by_array = zoo.predict(ar_run, [SAMPLE, values])
    assert by_array["forecast"] == pytest.approx(by_path["forecast"])
    pandas = pytest.importorskip("pandas")
    (by_series,) = zoo.predict(ar_run, pandas.Series(values))
    assert by_series["forecast"] == pytest.approx(by_path["forecast"])


def test_scores_are_a_table_of_tokens():
    scores = zoo.score("language/charlstm-hello", "hello")
    assert len(scores) == 1
    assert scores.to_dict()["scores"] == list(scores)
    assert len(scores.table()) == len(scores[0]["tokens"])
    assert {"input", "token", "log_probability"} <= set(scores.table()[0])


def test_notebooks_get_pictures_as_png(ar_run, monkeypatch):
    display = pytest.importorskip("IPython.display")
    shown = []
    monkeypatch.setattr(display, "display", lambda value, raw=False: shown.append(value))
    plot = zoo.plot(ar_run, SAMPLE)
    plot._ipython_display_()
    text, picture = shown
    assert text["text/html"].startswith("<pre>")
    assert "<img" not in text["text/html"]
    assert picture.data == plot.png


def test_a_plot_is_displayed(ar_run, tmp_path):
    plot = zoo.plot(ar_run, SAMPLE)
    assert plot.path is None
    assert plot._repr_png_().startswith(b"\x89PNG")
    assert "<img" in plot._repr_html_()
    written = zoo.plot(ar_run, SAMPLE, tmp_path / "plot.png")
    assert written.path.read_bytes() == written.png
    assert written.to_dict() == {
        "preset": str(ar_run),
        "input": str(SAMPLE),
        "plot": str(tmp_path / "plot.png"),
    }
