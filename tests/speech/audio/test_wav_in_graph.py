"""WAV files in a TensorFlow graph: all PCM widths, as soundfile reads them, and invalid files."""

import io

import numpy as np
import pytest
import soundfile
import tensorflow as tf

from zoo.common.core.model import Graphs
from zoo.common.core.registry import entry
from zoo.speech.audio.reading import read_audio
from zoo.speech.audio.wav_in_graph import decode_wav

RATE = 16_000
SUBTYPES = ("PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE")


@pytest.fixture(scope="module")
def decode():
    """Return `decode_wav` as a graph."""
    return tf.function(lambda contents: decode_wav(contents, RATE)).get_concrete_function(
        tf.TensorSpec([], tf.string)
    )


def wav(channels=1, subtype="PCM_16", rate=RATE, kind="WAV", frames=501) -> bytes:
    """Return the bytes of a file with noise over the full scale."""
    noise = np.random.default_rng(0).uniform(-1, 1, (frames, channels))
    noise[0], noise[1] = -1, 1 - 2**-8
    file = io.BytesIO()
    soundfile.write(file, noise, rate, subtype=subtype, format=kind)
    return file.getvalue()


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("kind", ["WAV", "WAVEX"])
@pytest.mark.parametrize("subtype", SUBTYPES)
def test_all_widths(decode, subtype, kind, channels):
    content = wav(channels, subtype, kind=kind)
    samples, _ = soundfile.read(io.BytesIO(content), always_2d=True)
    np.testing.assert_allclose(decode(tf.constant(content)), samples.mean(axis=1), atol=1e-6)


def test_channels_that_cancel_each_other(decode):
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, 501).astype(np.float32)
    file = io.BytesIO()
    inverted = np.stack([noise, -1.02 * noise], axis=1)
    soundfile.write(file, inverted, RATE, subtype="FLOAT", format="WAV")
    samples = decode(tf.constant(file.getvalue()))
    np.testing.assert_array_equal(samples, inverted[:, 1])
    np.testing.assert_array_equal(samples, read_audio(file.getvalue(), RATE))


def test_other_chunks_and_unknown_sizes(decode):
    content = wav()
    data = content.index(b"data")
    listed = content[:data] + b"LIST\x03\x00\x00\x00abc\x00" + content[data:]
    streamed = content[: data + 4] + b"\xff\xff\xff\xff" + content[data + 8 :]
    for other in (listed, streamed, content + b"\x00"):
        np.testing.assert_array_equal(decode(tf.constant(other)), decode(tf.constant(content)))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "must be a WAV file"),
        (b"OggS" + bytes(40), "must be a WAV file"),
        (b"RIFF\x04\x00\x00\x00WAVE", "no valid chunk fmt"),
        (wav(subtype="ULAW"), "must be PCM of 8, 16, 24 or 32 bits"),
        (wav(rate=8_000), "must have 16000 Hz"),
        (
            wav(subtype="FLOAT").replace(b"\x00\x00\x80\xbf", b"\x00\x00\xc0\x7f"),
            "must be finite",
        ),
    ],
)
def test_invalid_files(decode, content, message):
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        decode(tf.constant(content))


def test_invalid_lengths():
    """Lengths below a frame or above the number of samples, and an empty batch."""
    recipe = entry("speech/tdnn-ctc-an4").recipe()
    entries = recipe.data.raw_inputs(recipe.model, recipe.decoder)
    to_inputs = entries["serving_default"].to_inputs
    waveform, at_least = np.random.default_rng(0).uniform(-1, 1, (2, 800)).astype(np.float32), 400
    for lengths in ([800, at_least - 1], [801, 800], [-1, 5]):
        with pytest.raises(tf.errors.InvalidArgumentError, match="lengths must be at least 400"):
            to_inputs(tf.constant(waveform), tf.constant(lengths))
    assert to_inputs(tf.constant(waveform), tf.constant([800, at_least]))["lengths"][1] == at_least
    with pytest.raises(tf.errors.InvalidArgumentError, match="lengths must be at least 400"):
        entries["transcribe_wav"].to_inputs(tf.constant([wav(frames=399)]))
    models = Graphs("keras", recipe.model.graphs(recipe.model.build()))
    signature = recipe.task.signatures(recipe.predictor(models))["transcribe_wav"]
    with pytest.raises(tf.errors.InvalidArgumentError, match="must have at least one row"):
        signature.function(tf.zeros([0], tf.string))
