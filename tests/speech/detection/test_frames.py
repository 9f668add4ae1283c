"""Events from scores of frames: targets at the edges of windows, joined windows, and borders."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

import zoo
from tests.harness import check_model
from tests.speech.detection.test_annotations import CSV, EVENTS, write_recording
from tests.speech.detection.test_crnn import recipe
from zoo.api.options import preset_recipe
from zoo.common.core.capabilities import Segment
from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.evaluation import Evaluation
from zoo.common.core.model import Graphs
from zoo.common.data.labels import Labels
from zoo.speech.audio.excerpts import Excerpt
from zoo.speech.detection.annotations import Event, read_annotations
from zoo.speech.detection.corpora.spectrogram import Spectrogram
from zoo.speech.detection.frames import FrameTimes, joined, smoothed

LABELS = Labels(("call", "click", "none"), "class")
TIMES = FrameTimes(hop=0.02, factor=4)


def tiny():
    found = recipe(channels="4,5,6", hidden_size=6, num_classes=3, frame_outputs=True)
    data = replace(found.data, labels=LABELS, time_shift=0)
    return replace(found, data=data, task=replace(found.task, monitor="accuracy"))


def test_classes_of_frames():
    """The frames of a spectrogram are at 0.90, 0.92, ... s. Overlapping events have equal shares."""
    timeline = [Event(0.93, 1.0, "call"), Event(0.97, 1.02, "click"), Event(0.5, 0.93, "none")]
    shares = TIMES.shares(timeline, LABELS, 0.9, 8)
    call, click, none = np.eye(3)
    both, unknown = (call + click) / 2, np.zeros(3)
    expected = [none, none, call, call, both, click, unknown, unknown]
    np.testing.assert_allclose(shares, expected)
    pooled = TIMES.pooled(
        shares[:-1]
    )  # an incomplete frame at the end is left out, as in the model
    np.testing.assert_allclose(pooled, [[0.5, 0.0, 0.5]])
    assert TIMES.pooled(shares).shape == (2, 3)
    np.testing.assert_allclose(TIMES.borders(0, 2), [-0.01, 0.07, 0.15])


def test_targets_at_the_edges_of_a_window():
    """An event that a window cuts has targets up to the edge, for any begin that is drawn."""
    timeline = (Event(0.0, 5.3, "none"), Event(5.3, 6.1, "call"), Event(6.1, 9.0, "none"))
    data, model = tiny().data, tiny().model
    for begin in (4.0, 5.7):
        example = Spectrogram(
            "a", "call", excerpt=Excerpt(begin, begin, 2.0), timeline=timeline, seconds=2.0
        )
        targets = data.frame_targets(example, 25, model)
        borders = begin + TIMES.borders(0, 25)
        np.testing.assert_allclose(targets.sum(axis=1), 1)
        inside = np.clip(np.minimum(borders[1:], 6.1) - np.maximum(borders[:-1], 5.3), 0, None)
        np.testing.assert_allclose(targets[:, 0], inside / TIMES.seconds, atol=0.25)
        assert targets[:, 0].sum() * TIMES.seconds == pytest.approx(
            min(6.1, begin + 2) - max(5.3, begin), abs=0.02
        )


def test_examples_of_annotations_have_targets(tmp_path):
    """The window of a long event has background around it, unless the annotation is incomplete."""
    recording = write_recording(tmp_path / "buoy.wav")
    path = recording.with_name("calls.csv")
    path.write_text(CSV)
    found = recipe().from_scratch()
    for annotated_all, labels in ((True, ("high", "low", "none")), (False, ("high", "low"))):
        complete = found.override({"data.annotated_all": annotated_all})
        examples = complete.data.read_manifest(path)
        adapted = complete.adapt(examples)
        assert adapted.data.labels.symbols == labels
        assert adapted.model.frame_outputs
        batches = adapted.data.batches(examples, adapted.model, None, Epoch(0, 32, 0))
        _, y, ids = next(iter(batches))
        assert y["frames"].shape == (len(examples), 25, len(labels))
        (row,) = (i for i, name in enumerate(ids) if "7.250-8.000 high" in name)
        known = y["frames"][row].sum(axis=1)
        high = y["frames"][row, :, 0].sum() * TIMES.seconds
        assert high == pytest.approx(0.75, abs=0.05)
        # The window has other events for at most 0.25 s.
        assert (known == 1).all() if annotated_all else known.sum() * TIMES.seconds < 1.05
    write_recording(tmp_path / "folders/song/a.wav")
    write_recording(tmp_path / "folders/noise/b.wav")
    clips = found.data.read_manifest(tmp_path / "folders")
    assert not found.adapt(clips).model.frame_outputs


def test_unknown_frames_have_no_loss():
    task, generator = tiny().task, np.random.default_rng(0)
    outputs = {
        "logits": np.zeros((2, 3), np.float32),
        "frame_logits": generator.normal(size=(2, 4, 3)).astype(np.float32),
    }
    frames = np.zeros((2, 4, 3), np.float32)
    frames[0, 1] = (0, 0.5, 0.5)
    loss = task.loss({"label": np.array([0, 1]), "frames": frames}, outputs)
    logits = outputs["frame_logits"][0, 1]
    nats = np.log(np.exp(logits).sum()) - logits[1:].mean()
    np.testing.assert_allclose(loss, [np.log(3) + nats, np.log(3)], rtol=1e-5)


def test_joined_windows():
    """Scores are averaged where windows overlap, and missing where a silent window was left out."""
    parts = [(0, np.full((4, 1), 1.0)), (2, np.full((4, 1), 0.0)), (8, np.full((2, 1), 0.5))]
    expected = [1, 1, 0.5, 0.5, 0, 0, np.nan, np.nan, 0.5, 0.5]
    np.testing.assert_array_equal(joined(parts)[:, 0], expected)


def test_smoothing_removes_short_peaks_and_gaps_and_keeps_borders():
    scores = np.array([0, 0, 1, 0, 0, 1, 1, 1, 0, 1, 1, 0, 0, 0, 1, 1, 1])[:, None].astype(float)
    expected = [0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 1, 0, 0, 0, 1, 1, 1]
    np.testing.assert_array_equal(smoothed(scores, 1)[:, 0], expected)
    assert smoothed(scores, 0) is scores


def answer(events, seconds=20.0, window=2.0, step=1.0, min_confidence=0.0):
    """Return the detections of a model whose scores state these events, from overlapping windows."""
    found = tiny()
    decoder = replace(found.decoder, min_confidence=min_confidence)
    begins = np.arange(0, seconds - window + step / 2, step)
    timeline = [Event(*event) for event in events]

    def graph(spectrogram, lengths):  # the first value of a window is its begin
        middles = spectrogram[:, 0, :1] + TIMES.borders(0, 25)[:-1] + TIMES.seconds / 2
        probabilities = np.full((*middles.shape, 3), 0.05)
        probabilities[..., 2] = 0.9
        for event in timeline:
            inside = (event.begin <= middles) & (middles < event.end)
            probabilities[inside] = [0.8, 0.05, 0.15] if event.label == "call" else [0.1, 0.7, 0.2]
            if event.label == "unclear":  # a click at its end
                probabilities[inside] = [0.6, 0.1, 0.3]
                probabilities[inside & (middles > event.end - 0.3)] = [0.2, 0.5, 0.3]
        return {"frame_logits": np.log(probabilities), "frame_logit_lengths": lengths // 4}

    values = [np.full((101, 50), begin, np.float32) for begin in begins]
    segments = [
        Segment(begin, begin + window, {"spectrogram": row})
        for begin, row in zip(begins, values, strict=True)
    ]
    predictor = replace(found, decoder=decoder).predictor(Graphs("test", {"model": graph}))
    return found.task.answer_segments(predictor, iter(segments))["detections"]


def test_two_events_that_are_near_each_other_are_two():
    """With windows of 2 s, events 0.3 s apart have their borders within a frame of 0.08 s."""
    events = [(3.0, 3.5, "call"), (3.8, 4.6, "call"), (4.9, 5.4, "click"), (19.0, 20.0, "call")]
    found = answer(events)
    assert [one["label"] for one in found] == ["call", "call", "click", "call"]
    for one, (begin, end, _) in zip(found, events, strict=True):
        assert one["begin"] == pytest.approx(begin, abs=TIMES.seconds)
        assert one["end"] == pytest.approx(end, abs=TIMES.seconds)
        assert one["confidence"] == pytest.approx(0.8 if one["label"] == "call" else 0.7, abs=0.01)
    assert [one["label"] for one in answer(events, min_confidence=0.75)] == ["call"] * 3


def test_pauses_and_events_of_a_frame_are_removed():
    found = answer([(3.0, 3.5, "call"), (3.58, 4.1, "call"), (8.0, 8.08, "click")])
    assert len(found) == 1
    assert (found[0]["begin"], found[0]["end"]) == pytest.approx((3.0, 4.1), abs=0.08)
    assert answer([]) == []


def test_an_event_has_one_class():
    """It is the one with the highest mean over the frames of the event."""
    (found,) = answer([(3.0, 4.0, "unclear")])
    assert found["label"] == "call"
    assert (found["begin"], found["end"]) == pytest.approx((3.0, 4.0), abs=TIMES.seconds)


def test_threshold_is_that_of_frames():
    """A frame is detected with 0.6 where it is a call, and with 0.4 where it is not."""
    found = tiny()
    timeline = (Event(0.0, 1.0, "none"), Event(1.0, 2.0, "call"))
    example = Spectrogram("a", "call", values=np.ones((101, 50), np.uint8), timeline=timeline)

    def graph(spectrogram, lengths):
        called = (np.arange(25) >= 13) | (np.arange(25) < 2)
        row = np.where(called[:, None], [0.6, 0.1, 0.3], [0.4, 0.1, 0.5])
        return {"frame_logits": np.log(row)[None], "frame_logit_lengths": lengths // 4}

    predictor = found.predictor(Graphs("test", {"model": graph}))
    options, line = found.task.choose_threshold(predictor, Evaluation({}, 1, 0.0), [example])
    # From 0.41 to 0.6: 12 frames of the call are found, and two other frames.
    assert 0.41 <= options["min_confidence"] <= 0.6
    assert "mean F1 0.9" in line


@pytest.mark.slow
def test_harness(tmp_path, formats):
    clips = np.random.default_rng(0).integers(0, 64, (4, 101, 50)).astype(np.uint8)
    timeline = (Event(0.0, 0.8, "none"), Event(0.8, 1.3, "call"), Event(1.3, 2.5, "click"))
    examples = [
        Spectrogram(f"c{i}", "call", "train", clip[: 80 + 7 * i], timeline=timeline)
        for i, clip in enumerate(clips)
    ]
    batch = tiny().override({"training.batch_size": 4})
    check_model(batch, examples, tmp_path / "tiny", formats)


def test_frames_have_no_weights_of_their_own():
    """A model without frames is a start for one with frames, whose clips have the same logits."""
    config = tiny().model
    keras.utils.set_random_seed(1)
    clips = replace(config, frame_outputs=False).build()
    frames = config.build()
    config.take_weights(frames, clips)
    inputs = {
        "spectrogram": np.random.default_rng(0).uniform(0, 63, (2, 40, 50)).astype(np.float32),
        "lengths": np.array([40, 4], np.int32),
    }
    expected, outputs = clips(inputs), frames(inputs)
    assert set(expected) == {"logits"}
    np.testing.assert_allclose(outputs["logits"], expected["logits"], atol=1e-6)
    assert outputs["frame_logits"].shape == (2, 10, 3)
    # A clip of one frame: its logits are those of the frame.
    np.testing.assert_allclose(outputs["frame_logits"][1, 0], outputs["logits"][1], atol=1e-5)


def test_invalid_duration():
    with pytest.raises(ZooError, match=r"task\.min_duration must be at least 0"):
        tiny().override({"task.min_duration": -1})


@pytest.mark.slow
def test_training_from_annotations(tmp_path):
    """Train from a table with a preset as start, choose a threshold, detect, and read the answer."""
    rows = ["file,begin,end,label,split"]
    for name, split in (("a", "train"), ("b", "train"), ("c", "dev")):
        write_recording(tmp_path / f"{name}.wav")
        rows += [f"{name}.wav,{begin},{end},{label},{split}" for begin, end, label in EVENTS]
    table, run = tmp_path / "calls.csv", tmp_path / "run"
    table.write_text("\n".join(rows) + "\n")
    preset = "speech/crnn-right-whale"
    settings = {"task.monitor": "f1_macro", "training.epochs": 40, "data.time_shift": 0}
    zoo.train(preset, manifest=table, init=preset, out=run, overrides=settings)
    assert preset_recipe(run).model.frame_outputs
    result = zoo.evaluate(run, manifest=table, choose_threshold=True)
    assert "min_confidence" in result.report[-1]
    (answer,) = zoo.predict(run, [str(tmp_path / "c.wav")])
    found = [(one["begin"], one["end"], one["label"]) for one in answer["detections"]]
    assert [label for *_, label in found] == ["low", "high", "low"]
    for one, event in zip(found, EVENTS, strict=True):
        assert one[:2] == pytest.approx(event[:2], abs=0.17)  # two frames
    path = tmp_path / "found.json"
    path.write_text(json.dumps({"predictions": [answer]}))
    (again,) = read_annotations(path)
    assert [(event.begin, event.end, event.label) for event in again.events] == found
