"""Test the events of streams: utterances, endpoints, words with times, and a microphone."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import zoo
from zoo.api.options import set_options
from zoo.common.core.errors import ZooError
from zoo.speech.audio.reading import read_audio
from zoo.speech.data import EXAMPLE_CLIPS
from zoo.speech.recognition.endpoints import Endpoints

RECIPE = "speech/lstm-ctc-phoneme-an4"
RATE = 16_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    zoo.export(RECIPE, "onnx", folder)
    return folder


@pytest.fixture(scope="module")
def preset(folder):
    return zoo.load(folder, runtime="onnx")


@pytest.fixture(scope="module")
def clips():
    return [read_audio(clip, RATE) for clip in EXAMPLE_CLIPS[1:3]]


def silence(seconds):
    """Return noise 90 dB below full scale."""
    noise = np.random.default_rng(0).standard_normal(round(seconds * RATE))
    return (10 ** (-90 / 20) * noise).astype(np.float32)


def events_of(stream, samples, block=1600):
    found = []
    for begin in range(0, len(samples), block):
        found += stream.accept(samples[begin : begin + block])
    return found, stream.finish()


@pytest.fixture(scope="module")
def two(preset, clips):
    """Return the events of two clips with a pause of two seconds, and their last answer."""
    samples = np.concatenate([clips[0], silence(2), clips[1]])
    return (*events_of(preset.stream(), samples), len(clips[0]) / RATE)


def test_pause_ends_an_utterance(two, preset):
    events, last, _ = two
    (final,) = [event for event in events if event["event"] == "final"]
    first, second = preset.predict(list(EXAMPLE_CLIPS[1:3]))
    assert final["output"] == first["output"]
    assert final["begin"] == 0
    # The pause of 1.2 s begins with the last label, which the model may delay by 0.15 s.
    assert final["end"] == pytest.approx(final["words"][-1]["begin"] + 1.2, abs=0.2)
    # The states of the model continue, so that the second text may differ by a phoneme.
    assert abs(len(last["output"].split()) - len(second["output"].split())) <= 1


def test_words_have_times_in_the_recording(two):
    events, _, seconds = two
    (final,) = [event for event in events if event["event"] == "final"]
    assert [word["word"] for word in final["words"]] == final["output"].split()
    begins = [word["begin"] for word in final["words"]]
    assert begins == sorted(begins)
    assert begins[0] > 0
    assert begins[-1] < seconds + 0.15


def test_partial_events_grow_within_an_utterance(two):
    events, _, _ = two
    before = ""
    for event in events:
        assert event["output"].startswith(before)
        before = "" if event["event"] == "final" else event["output"]
    assert sum(event["event"] == "partial" for event in events) > 10


def test_events_do_not_depend_on_blocks(two, preset, clips):
    samples = np.concatenate([clips[0], silence(2), clips[1]])
    events, last = events_of(preset.stream(), samples, block=7001)
    finals = [event for event in events if event["event"] == "final"]
    assert finals == [event for event in two[0] if event["event"] == "final"]
    assert last == two[1]


def test_iteration_ends_with_the_last_utterance(preset):
    *partials, final = preset.stream(EXAMPLE_CLIPS[2])
    (answer,) = preset.predict([EXAMPLE_CLIPS[2]])
    assert {event["event"] for event in partials} == {"partial"}
    assert final["event"] == "final"
    assert final["output"] == answer["output"]
    assert final["log_probability"] == pytest.approx(answer["log_probability"], abs=1e-3)


def test_silence_has_one_empty_final_event(preset):
    stream = preset.stream()
    events, last = events_of(stream, silence(8))
    assert events == []
    assert last["output"] == ""
    assert len(stream._utterance.logits) < 2.6 / 0.03  # earlier silence is discarded


def test_without_endpoints_the_recording_is_one_utterance(preset, clips):
    samples = np.concatenate([clips[0], silence(2), clips[1]])
    events, last = events_of(preset.stream(endpoints=None), samples)
    assert {event["event"] for event in events} == {"partial"}
    assert last["output"].startswith(events[-1]["output"])


def test_lexicon_is_searched_live(preset, tmp_path):
    lexicon = tmp_path / "numbers.txt"
    lexicon.write_text("ENTER EH N T ER\nSIX S IH K S\nFOUR F AO R\nFIVE F AY V\nONE W AH N\n")
    recipe = set_options(RECIPE, preset.recipe, {"lexicon": lexicon})
    stream = recipe.data.open_stream(recipe.predictor(preset.graphs), recipe.task, EXAMPLE_CLIPS[1])
    *partials, final = stream
    known = {"ENTER", "SIX", "FOUR", "FIVE", "ONE"}
    assert partials
    assert all(set(event["output"].split()) <= known for event in partials)
    assert set(final["output"].split()) <= known


@pytest.mark.parametrize(
    ("seconds", "silence", "has_text", "expected"),
    [
        (5, 1.1, True, False),
        (5, 1.2, True, True),
        (5, 2.3, False, False),
        (5, 2.4, False, True),
        (20, 0.5, True, False),
        (20, 0.6, True, True),
        (39.9, 0, True, False),
        (40, 0, True, True),
    ],
)
def test_rules_of_endpoints(seconds, silence, has_text, expected):
    assert Endpoints().reached(seconds, silence, has_text) == expected


@pytest.mark.parametrize("name", ["silence", "silence_without_text", "longest"])
def test_endpoints_must_be_positive(name):
    for value in (0, -1, float("nan")):
        with pytest.raises(ZooError, match=f"{name} must be"):
            Endpoints(**{name: value})


def test_stream_without_a_source_is_not_iterable(preset):
    with pytest.raises(ZooError, match="has no source"):
        list(preset.stream())


# A microphone -------------------------------------------------------------------------------------


class Microphone:
    """A stand-in for `sounddevice`, which records a clip."""

    class PortAudioError(Exception):
        pass

    def __init__(self, samples):
        self._samples = samples

    def InputStream(self, *, samplerate, blocksize, channels, dtype, callback):
        assert (samplerate, channels, dtype) == (RATE, 1, "float32")
        for begin in range(0, len(self._samples), blocksize):
            block = self._samples[begin : begin + blocksize, None]
            callback(block, len(block), None, None)

        class Opened:
            def __enter__(self):
                signal.setitimer(signal.ITIMER_REAL, 0.01)

            def __exit__(self, *_):
                signal.setitimer(signal.ITIMER_REAL, 0)

        signal.signal(signal.SIGALRM, lambda *_: signal.raise_signal(signal.SIGINT))
        return Opened()


def test_microphone_is_read_until_an_interruption(preset, clips, monkeypatch):
    monkeypatch.setitem(sys.modules, "sounddevice", Microphone(clips[1]))
    *_, final = preset.stream("microphone")
    (answer,) = preset.predict([EXAMPLE_CLIPS[2]])
    assert final["output"] == answer["output"]


def test_missing_microphone_is_reported(preset, monkeypatch):
    def refuse(**_):
        raise Microphone.PortAudioError("Error querying device -1")

    device = SimpleNamespace(InputStream=refuse, PortAudioError=Microphone.PortAudioError)
    monkeypatch.setitem(sys.modules, "sounddevice", device)
    with pytest.raises(ZooError, match="cannot be opened: Error querying device -1"):
        list(preset.stream("microphone"))
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(ZooError, match=r"recurrent-zoo\[microphone\]"):
        list(preset.stream("microphone"))


# The command and the script -----------------------------------------------------------------------


def test_events_of_the_command(run_zoo, folder):
    clip = str(EXAMPLE_CLIPS[2])
    lines = run_zoo("predict", folder, clip, "--stream", "--jsonl").out.splitlines()
    *partials, final = map(json.loads, lines)
    assert {tuple(event) for event in partials} == {("event", "seconds", "output")}
    keys = ["event", "begin", "end", "output", "log_probability", "confidence", "words"]
    assert list(final) == keys
    texts = run_zoo("predict", folder, clip, "--stream").out.splitlines()
    assert texts[-1] == f"{final['begin']:.2f}-{final['end']:.2f} s: {final['output']}"
    assert len(texts) == len(lines)


def test_invalid_arguments_of_the_command(refused, folder):
    command = ("predict", folder, str(EXAMPLE_CLIPS[2]), "--stream")
    assert "silence must be above 0" in refused(*command, "--silence", 0)
    assert "cannot be combined with --json" in refused(*command, "--out", "x")


def test_script_gives_the_text_of_the_command(run_zoo, folder, clips):
    """Without the zoo and TensorFlow, from PCM on standard input."""
    pcm = (clips[1] * 2**15).round().astype("<i2").tobytes()
    script = Path(__file__).parents[3] / "examples/deploy/stream.py"
    command = [sys.executable, str(script), str(folder / "onnx")]
    found = subprocess.run(command, input=pcm, capture_output=True, timeout=60, check=True)
    (answer,) = run_zoo("predict", folder, str(EXAMPLE_CLIPS[2]), "--json").json["predictions"]
    assert found.stdout.decode().split() == answer["output"].split()
