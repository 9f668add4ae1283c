"""Event-based metrics, by hand and end to end."""

from dataclasses import replace

import numpy as np
import pytest
import soundfile

from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.common.data.labels import Labels
from zoo.speech.detection.annotations import Annotated, Event
from zoo.speech.detection.events import count_matches, evaluate_events, f1

pytest.importorskip("mir_eval")


@pytest.mark.parametrize(
    ("found", "matched"),
    [
        ([(1.0, 2.0, "a")], 1),
        ([(1.24, 2.49, "a")], 1),  # the end may differ by half of the second that the event lasts
        ([(1.26, 2.0, "a")], 0),
        ([(1.0, 2.51, "a")], 0),
        ([(1.0, 2.0, "b")], 0),
        ([(1.0, 2.0, "a"), (1.1, 2.0, "a")], 1),  # an event is matched once
        ([], 0),
    ],
)
def test_matches(found, matched):
    counts = count_matches([Event(1.0, 2.0, "a")], [Event(*one) for one in found], 0.25)
    assert counts["a"]["events"] == 1
    assert counts["a"]["matched"] == matched
    assert counts["a"]["found"] == sum(label == "a" for *_, label in found)


def test_matching_is_optimal():
    """The detection in the middle matches either event, the other one only the first."""
    events = [Event(1.0, 2.0, "a"), Event(1.4, 2.4, "a")]
    found = [Event(1.2, 2.2, "a"), Event(0.9, 1.9, "a")]
    assert count_matches(events, found, 0.25)["a"]["matched"] == 2


def test_f1_by_hand():
    assert f1({"events": 4, "found": 2, "matched": 1}) == {
        "precision": 0.5,
        "recall": 0.25,
        "f1": pytest.approx(1 / 3),
    }
    assert f1({"events": 0, "found": 0, "matched": 0})["f1"] == 0


def loud_windows(**inputs):
    """Answer "call" for spectrograms with one band above the others, else "none"."""
    means = inputs["spectrogram"].mean(axis=1)
    loud = means.max(axis=1) - np.median(means, axis=1) > 20
    return {"logits": np.where(loud[:, None], [[5.0, 0.0]], [[0.0, 5.0]])}


def write_tone(path, rate, **coding):
    """Write 20 s of noise at -60 dB with a tone from 6 s to 8 s."""
    time = np.arange(20 * rate) / rate
    samples = 1e-3 * np.random.default_rng(0).standard_normal(len(time))
    samples += 0.3 * np.sin(2 * np.pi * 200 * time) * ((time >= 6) & (time < 8))
    soundfile.write(path, samples, rate, **coding)
    return path


@pytest.fixture
def recording(tmp_path):
    write_tone(tmp_path / "a.wav", 2_000)
    return Annotated(tmp_path / "a.wav", 20.0, (Event(6.0, 8.0, "call"), Event(1.0, 2.0, "none")))


def predictor():
    recipe = entry("speech/crnn-right-whale").recipe()
    data = replace(recipe.data, labels=Labels(("call", "none"), "class"))
    return recipe.task, replace(recipe, data=data).predictor(
        Graphs("test", {"model": loud_windows})
    )


def test_evaluation(recording):
    task, model = predictor()
    evaluation = evaluate_events(model, task, [recording], collar=1.0)
    (row,) = evaluation.rows
    assert row["reference"] == [{"begin": 6.0, "end": 8.0, "label": "call"}]
    (found,) = row["output"]
    assert abs(found["begin"] - 6) <= 1
    assert evaluation.metrics == {
        "event_f1": 1.0,
        "event_precision": 1.0,
        "event_recall": 1.0,
        "event_f1_macro": 1.0,
    }
    assert evaluation.num_examples == 1
    assert evaluation.report[0].startswith("call: F1 1.0000")


def test_recordings_without_events(recording):
    task, model = predictor()
    with pytest.raises(ZooError, match="must have events"):
        evaluate_events(model, task, [replace(recording, events=())], collar=0.25)
