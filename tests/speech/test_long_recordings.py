"""Recordings of any length: transcripts with times, and detections."""

import itertools

import numpy as np
import pytest
import soundfile

from tests.speech.conftest import CLIPS, DIGIT_CLIPS, DIGITS, RECOGNIZER, WHALES, sea
from zoo.common.core.capabilities import Segment
from zoo.common.decoding.segments import join_texts, merge_detections
from zoo.common.tasks.classification import Classification
from zoo.speech.recognition.subtitles import cues

pytestmark = pytest.mark.usefixtures("opened_once")


# Recognition --------------------------------------------------------------------------------------


def test_the_transcript_of_a_long_recording(loaded, long_folder):
    alone = [answer["output"] for answer in loaded[RECOGNIZER].predict(CLIPS)]
    (answer,) = loaded[RECOGNIZER].predict([str(long_folder / "speech.flac")])
    assert answer["output"] == " ".join(alone)
    assert [segment["output"] for segment in answer["segments"]] == alone
    times = [t for segment in answer["segments"] for t in (segment["begin"], segment["end"])]
    assert times == sorted(times)
    assert times[0] == pytest.approx(1.2, abs=0.01)
    assert answer["seconds"] == pytest.approx(soundfile.info(long_folder / "speech.flac").duration)
    assert answer["seconds"] > 30


def test_a_waveform_is_answered_as_its_file(loaded, long_folder):
    for name, file in ((RECOGNIZER, "speech.flac"), (DIGITS, "digits.wav"), (WHALES, "sea.wav")):
        source = long_folder / file
        expected, answer = loaded[name].predict(
            [str(source), soundfile.read(source, dtype="int16")]
        )
        del expected["input"], answer["input"]
        assert answer["output"] == expected["output"]
        assert answer.keys() == expected.keys()


def test_subtitles(run_zoo, loaded, long_folder):
    source = long_folder / "speech.flac"
    shown = run_zoo("predict", RECOGNIZER, source, "--format", "srt")
    assert (shown.status, shown.err) == (0, "")
    blocks = [block.split("\n") for block in shown.out.strip().split("\n\n")]
    assert [block[0] for block in blocks] == [str(i + 1) for i in range(len(blocks))]
    assert blocks[0][1].startswith("00:00:01,")
    assert all(len(line) <= 42 for block in blocks for line in block[2:])

    recipe = loaded[RECOGNIZER].recipe.override({"decoder.times": "true"})
    predictor = recipe.predictor(loaded[RECOGNIZER].graphs)
    (answer,) = recipe.task.predict(predictor, [str(source)])
    assert " ".join(line for block in blocks for line in block[2:]) == answer["output"]
    begins = [word["begin"] for word in answer["words"]]
    assert begins == sorted(begins)
    assert begins[-1] > 25
    vtt = recipe.data.formats(recipe.task, recipe.model, recipe.decoder)["vtt"]
    first, *rest = "\n".join(vtt.lines([answer])).split("\n\n")
    assert first == "WEBVTT"
    assert [cue.strip().split("\n") for cue in rest] == [
        [block[1].replace(",", "."), *block[2:]] for block in blocks
    ]


def test_subtitles_are_short():
    words = [{"word": "RECOGNISED", "begin": 0.5 * i, "end": 0.5 * i + 0.4} for i in range(30)] + [
        {"word": "LATE", "begin": 30.0, "end": 30.2}
    ]
    found = cues(words)
    assert " ".join(text.replace("\n", " ") for *_, text in found).count("RECOGNISED") == 30
    for begin, end, text in found:
        assert end - begin <= 7
        assert len(text.split("\n")) <= 2
        assert all(len(line) <= 42 for line in text.split("\n"))
    assert all(a[1] <= b[0] for a, b in itertools.pairwise(found))
    assert found[-1] == (30.0, 31.0, "LATE")


def test_joined_texts_without_times():
    segments = [Segment(1.0, 2.0, {}), Segment(3.0, 4.0, {}), Segment(5.0, 6.0, {})]
    answers = [
        {"output": text, "log_probability": -1.0, "confidence": 1.0} for text in ("ONE", "", "TWO")
    ]
    joined = join_texts(zip(segments, answers, strict=True))
    assert joined["output"] == "ONE TWO"
    assert [row["begin"] for row in joined["segments"]] == [1.0, 5.0]
    assert joined["log_probability"] == -3
    assert "words" not in joined


# Detection ----------------------------------------------------------------------------------------


def test_a_sequence_of_digits(run_zoo, long_folder):
    answer = run_zoo("predict", DIGITS, long_folder / "digits.wav", "--json").json["predictions"][0]
    alone = run_zoo("predict", DIGITS, *DIGIT_CLIPS, "--json").json["predictions"]
    assert [one["label"] for one in answer["detections"]] == [a["output"] for a in alone]
    assert answer["output"] == f"{len(DIGIT_CLIPS)} detections"
    lengths = [one["end"] - one["begin"] for one in answer["detections"]]
    np.testing.assert_allclose(lengths, [a["seconds"] for a in alone], atol=0.21)


def test_the_time_of_an_up_call(loaded, long_folder):
    (answer,) = loaded[WHALES].predict([str(long_folder / "sea.wav")])
    assert answer["seconds"] == 21.3
    assert answer["output"] == "1 detection"
    (one,) = answer["detections"]
    assert one["label"] == "upcall"
    assert 8 <= one["begin"] <= 10
    assert 11 <= one["end"] <= 13
    assert one["confidence"] > 0.5
    careful = loaded[WHALES].recipe.override({"decoder.min_confidence": one["confidence"] + 1e-3})
    predictor = careful.predictor(loaded[WHALES].graphs)
    (answer,) = careful.task.predict(predictor, [str(long_folder / "sea.wav")])
    assert answer == {
        "input": str(long_folder / "sea.wav"),
        "output": "no detections",
        "detections": [],
        "seconds": 21.3,
    }


def test_other_rates_channels_and_widths(loaded, long_folder, tmp_path):
    """Another sample rate, stereo, 24 bits, 8 bits and clipping do not change the detection."""
    signal = sea()
    soundfile.write(tmp_path / "a.wav", np.repeat(np.repeat(signal, 4)[:, None], 2, 1), 8000)
    soundfile.write(tmp_path / "b.wav", signal, 2000, subtype="PCM_24")
    soundfile.write(tmp_path / "c.wav", signal, 2000, subtype="PCM_U8")
    soundfile.write(tmp_path / "d.wav", np.clip(4 * signal, -0.99, 0.99), 2000)
    (whole,) = loaded[WHALES].predict([str(long_folder / "sea.wav")])
    for answer in loaded[WHALES].predict([str(tmp_path / f"{name}.wav") for name in "abcd"]):
        (one,) = answer["detections"]
        (expected,) = whole["detections"]
        assert one["begin"] < expected["end"]
        assert expected["begin"] < one["end"]


@pytest.mark.parametrize(("preset", "seconds"), [(DIGITS, 60), (WHALES, 0.5), (WHALES, 60)])
def test_silence_has_no_detections(run_zoo, tmp_path, preset, seconds):
    soundfile.write(tmp_path / "x.wav", np.zeros(round(8000 * seconds)), 8000)
    answer = run_zoo("predict", preset, tmp_path / "x.wav", "--json")
    assert answer.status == 0
    (prediction,) = answer.json["predictions"]
    assert prediction["output"] == "no detections"
    assert prediction["seconds"] == seconds


def test_a_clip_has_one_answer(loaded, tmp_path):
    soundfile.write(tmp_path / "clip.wav", sea()[18_000:22_400], 2000)
    (answer,) = loaded[WHALES].predict([str(tmp_path / "clip.wav")])
    assert set(answer) == {"input", "output", "probability", "seconds"}


def test_detection_of_a_class():
    task = Classification(background="none")
    assert task.detect({"none": 0.6, "a": 0.3, "b": 0.1}, 0.0) == ""
    assert task.detect({"none": 0.4, "a": 0.35, "b": 0.25}, 0.0) == ""
    assert task.detect({"none": 0.3, "a": 0.4, "b": 0.3}, 0.0) == "a"
    assert task.detect({"none": 0.6, "a": 0.3, "b": 0.1}, 0.3) == "a"
    assert task.detect({"none": 0.0, "a": 0.89, "b": 0.11}, 0.9) == ""
    assert task.detect({}, 0.5) == ""
    assert Classification().detect({"a": 0.4, "b": 0.6}, 0.0) == "b"


def test_detections_are_merged():
    def segment(begin):
        return Segment(begin, begin + 2, {})

    found = [
        (segment(0), "a", 0.6),
        (segment(1), "a", 0.9),
        (segment(2), "b", 0.7),
        (segment(5), "b", 0.8),
    ]
    assert merge_detections(found) == [
        {"begin": 0, "end": 3, "label": "a", "confidence": 0.9},
        {"begin": 2, "end": 4, "label": "b", "confidence": 0.7},
        {"begin": 5, "end": 7, "label": "b", "confidence": 0.8},
    ]
