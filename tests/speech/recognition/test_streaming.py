"""Streaming: the answer is that to the whole recording, in all runtimes."""

import doctest
import io
import itertools
import json
import sys
from types import SimpleNamespace

import keras
import numpy as np
import pytest
import soundfile
import tensorflow as tf

from tests.harness import check_model, plain
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.core.states import initial_states, next_states
from zoo.common.data.batching import pad
from zoo.common.export import exporter
from zoo.common.runtime import BACKENDS, export_folder, open_graphs
from zoo.common.runtime.preset import load_preset
from zoo.speech.audio.reading import read_audio
from zoo.speech.data import EXAMPLE_CLIPS
from zoo.speech.recognition import streaming
from zoo.speech.recognition.corpora.an4 import AN4_PHONEMES
from zoo.speech.recognition.streaming import Stream

RECIPE = "speech/lstm-ctc-phoneme-an4"
# Number of samples at the end of a clip that are a part of a window.
LATER = 700


RUNTIMES = [
    pytest.param(name, marks=[] if name in ("keras", "onnx") else [pytest.mark.slow])
    for name in BACKENDS
]


def tiny(**overrides):
    settings = {"layers": 2, "hidden_size": 8, "conv_filters": 4} | overrides
    recipe = entry(RECIPE).recipe().override({f"model.{k}": v for k, v in settings.items()})
    return plain(recipe)


@pytest.fixture(scope="module")
def folder(tmp_path_factory, an4):
    """Return a preset with an ONNX export, which the harness writes."""
    folder = tmp_path_factory.mktemp("streaming") / "tiny"
    check_model(tiny(), AN4_PHONEMES.read(an4, "train")[:4], folder, formats=("onnx",))
    return folder


def graphs_of(preset, backend):
    if backend != "keras" and not export_folder(backend, preset.folder).exists():
        exporter(backend)(preset, preset.folder)
    return open_graphs(backend, preset.folder)


@pytest.fixture(scope="module")
def preset(folder):
    return load_preset(folder)


@pytest.fixture(scope="module")
def clip():
    """Return one and a half seconds that end within a window."""
    return read_audio(EXAMPLE_CLIPS[1], 16_000)[8000 : 32_000 + LATER]


def answer_to(stream, samples, size):
    """Return the answer of a stream to samples in blocks of some size."""
    for begin in range(0, len(samples), size):
        stream.accept(samples[begin : begin + size])
    return stream.finish()


def whole(graphs, recipe, samples):
    item = recipe.data.item(samples, recipe.model)
    answer = recipe.task.answer(recipe.predictor(graphs), item)
    return answer | recipe.data.input_metadata(item)


def check_same(answer, expected):
    assert set(answer) == set(expected)
    assert answer["output"] == expected["output"] != ""
    assert answer["seconds"] == expected["seconds"]
    assert answer["log_probability"] == pytest.approx(expected["log_probability"], abs=1e-3)


@pytest.mark.parametrize("backend", RUNTIMES)
def test_stream_and_whole_recording(preset, clip, backend):
    graphs = graphs_of(preset, backend)
    expected = whole(graphs, preset.recipe, clip)
    predictor, task = preset.recipe.predictor(graphs), preset.recipe.task
    answers = [answer_to(Stream(predictor, task), clip, size) for size in (479, len(clip))]
    check_same(answers[0], expected)
    assert answers[0] == answers[1]


@pytest.mark.slow
def test_stream_of_blocks(clip, tmp_path, an4):
    """Residual blocks keep the states of their convolutions too."""
    examples = AN4_PHONEMES.read(an4, "train")[:4]
    check_model(tiny(cell="mingru"), examples, tmp_path / "tiny")
    preset = load_preset(tmp_path / "tiny")
    for backend in BACKENDS:
        graphs = open_graphs(backend, preset.folder)
        expected = whole(graphs, preset.recipe, clip)
        stream = Stream(preset.recipe.predictor(graphs), preset.recipe.task)
        check_same(answer_to(stream, clip, 479), expected)


@pytest.mark.parametrize("size", [1, 3, 160, 481, 4001])
def test_blocks_of_any_size(preset, clip, size):
    """The answers are equal to the last bit."""
    clip = clip[-5000 - LATER :] if size == 1 else clip
    expected = answer_to(preset.stream(), clip, len(clip))
    assert answer_to(preset.stream(), clip, size) == expected


@pytest.mark.parametrize("samples", [400, 480, 481, 1000])
def test_short_recordings(preset, clip, samples):
    expected = whole(preset.graphs, preset.recipe, clip[:samples])
    answer = answer_to(preset.stream(), clip[:samples], 77)
    assert answer["log_probability"] == pytest.approx(expected["log_probability"], abs=1e-4)


def test_the_decoder_makes_the_final_answer(preset, clip):
    recipe = preset.recipe.override({"decoder.beam_width": 8, "decoder.n_best": 2})
    expected = whole(preset.graphs, recipe, clip)
    stream = recipe.data.open_stream(recipe.predictor(preset.graphs), recipe.task)
    answer = answer_to(stream, clip, 1000)
    check_same(answer, expected)
    assert [a["output"] for a in answer["alternatives"]] == [
        a["output"] for a in expected["alternatives"]
    ]


def test_partial_results_grow(preset, clip):
    stream = preset.stream()
    assert stream.partial() == ""
    partials = []
    for begin in range(0, len(clip), 1600):
        stream.accept(clip[begin : begin + 1600])
        partials.append(stream.partial())
    assert all(later.startswith(early) for early, later in itertools.pairwise(partials))
    assert stream.seconds == len(clip) / 16_000
    assert stream.finish()["output"].startswith(partials[-1])


def test_another_rate(preset, clip, tmp_path):
    """Blocks are resampled as files are."""
    slow = clip[: len(clip) // 2]
    soundfile.write(tmp_path / "slow.wav", slow, 8000, subtype="FLOAT")
    expected = whole(preset.graphs, preset.recipe, read_audio(tmp_path / "slow.wav", 16_000))
    check_same(answer_to(preset.stream(sample_rate=8000), slow, 333), expected)


@pytest.mark.parametrize("backend", RUNTIMES)
@pytest.mark.parametrize("samples", [640, 1280, 3200])
def test_a_step_takes_whole_chunks(folder, preset, clip, backend, samples):
    """Other numbers of samples, of which the states would lose some, are refused by the graph."""
    model, step = preset.recipe.model, graphs_of(preset, backend)["step"]
    states = initial_states(model.states, 1)
    with pytest.raises((ZooError, tf.errors.InvalidArgumentError)):
        step(waveform=clip[None, :samples], **states)
    assert step(waveform=clip[None, :960], **states)["logits"].shape[1] == 2
    signature = json.loads((folder / "onnx" / "signature.json").read_text())
    assert signature["chunk_samples"] == model.chunk_samples == 480


def test_outputs_do_not_depend_on_later_samples(preset, clip):
    """They do not depend on other rows of a batch or on padding either."""
    graph, model = preset.graphs["model"], preset.recipe.model
    logits = graph(waveform=clip[None], lengths=np.array([len(clip)]))["logits"][0]
    early = graph(waveform=clip[None, :9600], lengths=np.array([9600]))["logits"][0]
    np.testing.assert_allclose(early[:20], logits[:20], atol=1e-5)
    waveform, lengths = pad([clip, clip[:9700]])
    waveform[1, 9700:] = np.random.default_rng(0).normal(0, 0.3, len(clip) - 9700)
    both = graph(waveform=waveform, lengths=lengths)
    assert both["logit_lengths"].tolist() == [model.frames(len(clip)), model.frames(9700)]
    np.testing.assert_allclose(both["logits"][0][: len(logits)], logits, atol=1e-5)
    alone = graph(waveform=clip[None, :9700], lengths=np.array([9700]))["logits"][0]
    count = model.frames(9700)
    np.testing.assert_allclose(both["logits"][1][:count], alone[:count], atol=1e-5)


def test_a_long_stream_does_not_drift(preset, clip):
    """A quarter of an hour: running means of 90,000 frames with the energy 8 in float32."""
    model = preset.recipe.model
    features = [spec for spec in model.states if spec.name.startswith(("mel_", "energy"))]
    states = initial_states(model.states, 1)
    states["energy"] += 90_000 * 8
    states["energy_square"] += 90_000 * 64
    states["mel_weight"] += 90_000 * 8**0.15
    states["mel_mean"] -= 5
    states["mel_square"] += 5**2 + 3.5**2
    before = {spec.name: states[spec.name].copy() for spec in features}
    chunk = clip[None, 9600 : 9600 + 10 * model.chunk_samples]
    states = next_states(model.states, preset.graphs["step"](waveform=chunk, **states))
    for name in ("energy", "energy_square", "mel_weight"):
        assert states[name][0, 0] > before[name][0, 0]
    assert states["mel_weight"][0, 0] < before["mel_weight"][0, 0] + 30 * 100**0.15
    for name in ("mel_mean", "mel_square"):
        assert 0 < np.abs(states[name] - before[name]).max() < 0.05


def test_the_example_in_the_docstring():
    assert doctest.testmod(streaming).failed == 0


# Invalid input ------------------------------------------------------------------------------------


def test_a_finished_stream(preset, clip):
    stream = preset.stream()
    answer_to(stream, clip[:2000], 500)
    for call in (lambda: stream.accept(clip), stream.finish):
        with pytest.raises(ZooError, match=r"The stream is finished\. Open another one"):
            call()


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        (np.zeros(480, np.int16), r"must be float, full scale 1\.0\. Received: int16"),
        ([1, 2], r"must be float"),
        (["x"], r"must be float"),
        (np.zeros((480, 2), np.float32), r"one axis, \[samples\].* Received: \(480, 2\)"),
        (np.array([0.1, np.nan, np.inf]), r"must be finite\. Received: 2 NaN or infinite"),
        (np.array([0.1, -3e4]), r"within 10 times full scale\. Received: a peak of 3e\+04"),
    ],
)
def test_invalid_samples_are_not_processed(preset, clip, samples, message):
    stream = preset.stream()
    stream.accept(clip[:1000])
    with pytest.raises(ZooError, match=message):
        stream.accept(samples)
    stream.accept(clip[1000:4000])
    assert stream.finish() == answer_to(preset.stream(), clip[:4000], 4000)


def test_minimum_duration_of_a_stream(preset, clip):
    for samples in (0, 399):
        stream = preset.stream()
        stream.accept(clip[:samples])
        with pytest.raises(ZooError, match=rf"at least 25 ms. Received: {samples} sample"):
            stream.finish()


def test_sample_rates_are_checked(preset):
    with pytest.raises(ZooError, match=r"sample_rate must be at least 100"):
        preset.stream(sample_rate=0)


def test_silence(preset):
    assert answer_to(preset.stream(), np.zeros(8000, np.float32), 800)["seconds"] == 0.5


def test_models_that_cannot_stream(tiny_run, refused, clips):
    wanted = rf"cannot stream: .* needs the whole recording\. Recipes that can stream: .*{RECIPE}"
    with pytest.raises(ZooError, match=wanted):
        load_preset(tiny_run).stream()
    assert RECIPE in refused("predict", tiny_run, clips[0], "--stream")
    other = entry("speech/bilstm-ctc-an4").recipe()
    with pytest.raises(ZooError, match="speech/bilstm-ctc-an4 cannot stream"):
        other.data.check_stream(other.name, other.model)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ({"subsampling_factor": 1}, "subsampling_factor must be at least 2"),
        ({"end_frames": -1}, "end_frames"),
        ({"features.normalization": "utterance"}, r"normalization must be one of 'running'"),
        ({"features.hop": 0.025}, "window - model.features.hop must be at least 1"),
        ({"features.prior_frames": -1}, "prior_frames must be at least 0"),
        ({"dropout": 1}, "dropout"),
    ],
)
def test_invalid_settings(overrides, name):
    with pytest.raises(ZooError, match=name):
        tiny(**overrides)


# The command --------------------------------------------------------------------------------------


def test_predict_stream(run_zoo, folder, clips):
    expected = run_zoo("predict", folder, clips[0], "--json").json["predictions"][0]
    lines = run_zoo("predict", folder, clips[0], "--stream").out.splitlines()
    assert lines[-1].split(" s: ")[1] == expected["output"]
    assert all(line.split(" s  ")[1] in lines[-1] for line in lines[:-1])
    assert len(lines) > 3


def stdin(monkeypatch, content):
    monkeypatch.setattr(
        sys, "stdin", SimpleNamespace(buffer=io.BufferedReader(io.BytesIO(content)))
    )


def test_predict_stream_of_standard_input(run_zoo, folder, clips, monkeypatch):
    expected = run_zoo("predict", folder, clips[0], "--stream").out.splitlines()[-1]
    samples, _ = soundfile.read(clips[0], dtype="int16")
    stdin(monkeypatch, samples.astype("<i2").tobytes())
    assert run_zoo("predict", folder, "-", "--stream").out.splitlines()[-1] == expected
    # A recorder that ends within a sample: nothing else is lost.
    stdin(monkeypatch, samples.astype("<i2").tobytes() + b"\0")
    answer = run_zoo("predict", folder, "-", "--stream")
    assert answer.out.splitlines()[-1] == expected
    assert "ends within a sample of 16-bit PCM. Its last byte is left out." in answer.err


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "Standard input is empty"),
        (b"RIFF" + b"\0" * 900, "Received: an audio file"),
        (b"\0" * 100, "at least 25 ms. Received: 50 sample"),
    ],
)
def test_invalid_standard_input(refused, folder, monkeypatch, content, message):
    stdin(monkeypatch, content)
    assert message in refused("predict", folder, "-", "--stream")


def test_options_of_streams(refused, folder, clips):
    assert "one input" in refused("predict", folder, *clips, "--stream")
    assert "--out" in refused("predict", folder, clips[0], "--stream", "--out", "x.txt")
    assert "no such file" in refused("predict", folder, "missing.wav", "--stream")


# The model ----------------------------------------------------------------------------------------


def test_step_shares_the_weights_of_the_model(preset):
    """It has no other weights."""
    graphs = preset.recipe.model.graphs(preset.model)
    own = {id(weight) for weight in preset.model.weights}
    assert all(id(weight) in own for weight in graphs["step"].weights)
    assert isinstance(graphs["step"], keras.Model)
