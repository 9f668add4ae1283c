"""Test SavedModels: answers to raw inputs in TensorFlow; files that differ are removed."""

import subprocess
import sys

import numpy as np
import pytest
import soundfile
import tensorflow as tf

import zoo
from zoo.api.export import export
from zoo.common.core.errors import ZooError
from zoo.common.data.batching import pad
from zoo.common.export import parity, savedmodel
from zoo.speech.audio.reading import read_audio

PLAIN_TENSORFLOW = """
import sys
sys.modules["zoo"] = sys.modules["keras"] = None  # importing them fails
import tensorflow as tf
model = tf.saved_model.load(sys.argv[1])
wav = tf.constant([open(path, "rb").read() for path in sys.argv[2:]])
answer = model.signatures["transcribe_wav"](wav=wav)
for text, score in zip(answer["text"].numpy(), answer["log_probability"].numpy()):
    print(f"{score:.4f} {text.decode()}")
"""


@pytest.fixture(scope="module")
def preset(tiny_run):
    return zoo.load(str(tiny_run))


@pytest.fixture(scope="module")
def exported(tiny_run, tmp_path_factory):
    """Return the row of the table and the folder of the SavedModel of the tiny run."""
    folder = tmp_path_factory.mktemp("exported")
    (row,) = export(tiny_run, "savedmodel", folder).files
    return row, folder / "1"


def test_the_row_describes_the_file(exported):
    row, folder = exported
    assert row["format"] == "savedmodel"
    assert row["path"] == str(folder)
    assert row["bytes"] == sum(f.stat().st_size for f in folder.rglob("*") if f.is_file())
    assert 0 <= row["max_difference"] <= row["tolerance"]
    assert row["metric"] in ("text", "log_probability", "logits", "logit_lengths")
    assert all(row[f"{way}_ms"] > 0 for way in ("latency", "keras_predict", "tf_function"))


@pytest.mark.slow
def test_plain_tensorflow_gives_the_same_answers(exported, preset, clips, tmp_path):
    files = []
    for clip in clips:
        files.append(tmp_path / f"{len(files)}.wav")
        soundfile.write(files[-1], *soundfile.read(clip, dtype="int16"))
    command = [sys.executable, "-c", PLAIN_TENSORFLOW, exported[1], *files]
    served = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    lines = [line.split(" ", 1) for line in served.splitlines()]
    for answer, (score, text) in zip(preset.predict(clips), lines, strict=True):
        assert text == answer["output"]
        assert float(score) == pytest.approx(answer["log_probability"], abs=2e-3)


def test_answers_do_not_depend_on_the_batch(exported, clips):
    serve = tf.saved_model.load(str(exported[1])).signatures["serving_default"]
    waveforms = [read_audio(clips[0], 16_000), read_audio(clips[1], 16_000)[:6000]]
    batch, lengths = pad(waveforms)
    together = serve(waveform=tf.constant(batch), lengths=tf.constant(lengths))
    for i, waveform in enumerate(waveforms):
        one, length = pad([waveform])
        alone = serve(waveform=tf.constant(one), lengths=tf.constant(length))
        assert alone["text"].numpy()[0] == together["text"].numpy()[i]
        np.testing.assert_allclose(
            alone["log_probability"][0], together["log_probability"][i], atol=1e-3
        )


def test_another_sample_rate_is_rejected(exported, clips, tmp_path):
    samples, rate = soundfile.read(clips[0], dtype="int16")
    soundfile.write(tmp_path / "slow.wav", samples, rate // 2)
    transcribe = tf.saved_model.load(str(exported[1])).signatures["transcribe_wav"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have 16000 Hz"):
        transcribe(wav=tf.constant([(tmp_path / "slow.wav").read_bytes()]))


def test_no_graph_needs_a_gpu(exported):
    """The graph uses neither cuDNN nor XLA, which a server may lack."""
    content = (exported[1] / "saved_model.pb").read_bytes()
    assert b"transcribe_wav" in content  # names are stored uncompressed
    assert b"Cudnn" not in content
    assert b"XlaMustCompile" not in content


def test_a_file_that_differs_is_removed(preset, tmp_path, monkeypatch):
    monkeypatch.setattr(parity, "_difference", lambda *_: 1.0)
    with pytest.raises(ZooError, match="differs from the Keras model by 1"):
        savedmodel.export(preset, tmp_path)
    assert list(tmp_path.iterdir()) == []
