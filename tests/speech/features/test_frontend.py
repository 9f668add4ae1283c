"""Log-mel features and their normalization against NumPy."""

import keras
import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data.batching import pad
from zoo.common.export.onnx.convert import to_onnx
from zoo.speech.audio.reading import read_audio
from zoo.speech.data import EXAMPLE_CLIPS
from zoo.speech.features.frontend import LogMel


@pytest.fixture(scope="module")
def clips():
    return [read_audio(path, 16_000) for path in EXAMPLE_CLIPS]


def network(settings):
    waveform = keras.Input((None,), name="waveform")
    lengths = keras.Input((), dtype="int32", name="lengths")
    features, frames = settings(waveform, lengths)
    outputs = {"features": features, "frames": frames}
    return keras.Model({"waveform": waveform, "lengths": lengths}, outputs)


@pytest.fixture(scope="module")
def running():
    return network(LogMel(normalization="running"))


def textbook_mel(clip, settings, window, hop, fft):
    """Return log-mel features by NumPy's FFT, frame by frame."""
    count = 1 + (len(clip) - window) // hop
    framed = np.stack([clip[hop * t : hop * t + window] for t in range(count)]).astype(np.float64)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(window) / window)
    power = np.abs(np.fft.rfft(framed * hann, fft)) ** 2
    return np.log(power @ settings.mel_matrix().astype(np.float64) + 1e-6)


def test_log_mel(clips):
    settings, clip = LogMel(), clips[0]
    outputs = network(settings)({"waveform": clip[None], "lengths": np.array([len(clip)])})
    mel = textbook_mel(clip, settings, window=400, hop=160, fft=512)
    assert int(outputs["frames"][0]) == settings.frames(len(clip)) == len(mel)
    expected = (mel - mel.mean(axis=0)) / (mel.std(axis=0) + 0.1)
    np.testing.assert_allclose(outputs["features"][0], expected, atol=2e-3)


def test_level_normalization(clips):
    """A recording has one mean and one deviation for all filters."""
    settings, some = LogMel(normalization="level"), clips[:2]
    waveform, lengths = pad(some)
    features = network(settings)({"waveform": waveform, "lengths": lengths})["features"].numpy()
    for row, one in zip(features, some, strict=True):
        mel = textbook_mel(one, settings, window=400, hop=160, fft=512)
        expected = (mel - mel.mean()) / (mel.std() + 0.1)
        np.testing.assert_allclose(row[: len(mel)], expected, atol=5e-3)
        assert not np.any(row[len(mel) :])


def test_running_normalization(clips, running):
    settings, clip = LogMel(normalization="running"), clips[0]
    outputs = running({"waveform": clip[None], "lengths": np.array([len(clip)])})
    mel = textbook_mel(clip, settings, window=400, hop=160, fft=512)
    expected = [
        (mel[t] - mel[: t + 1].mean(axis=0)) / (mel[: t + 1].std(axis=0) + 0.1)
        for t in range(len(mel))
    ]
    np.testing.assert_allclose(outputs["features"][0], expected, atol=5e-3)


def test_running_normalization_does_not_depend_on_later_frames(clips, running):
    """Frames are the same if the waveform ends after them; padding is 0."""
    waveform, lengths = pad(clips)
    whole = running({"waveform": waveform, "lengths": lengths})
    features, frames = whole["features"].numpy(), whole["frames"].numpy()
    for row, count in zip(features, frames, strict=True):
        assert np.any(row[count - 1] != 0)
        assert not np.any(row[count:])
    first = running({"waveform": waveform[:, :8000], "lengths": np.full(len(clips), 8000)})
    count = int(first["frames"][0])
    np.testing.assert_allclose(first["features"], features[:, :count], atol=1e-4)


def test_running_normalization_in_onnx(clips, running):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(to_onnx(running).SerializeToString())
    waveform, lengths = pad(clips)
    features, frames = session.run(
        ["features", "frames"], {"waveform": waveform, "lengths": lengths}
    )
    expected = running({"waveform": waveform, "lengths": lengths})
    np.testing.assert_array_equal(frames, expected["frames"])
    np.testing.assert_allclose(features, expected["features"], atol=1e-3)


def test_a_long_window(clips):
    """A frame of half a second requires a waveform of half a second."""
    settings = LogMel(sample_rate=2000, window=0.5, hop=0.1, high_hz=1000.0)
    assert (settings.window_samples, settings.fft_length) == (1000, 1024)
    assert settings.min_seconds == 0.5
    assert (settings.frames(1000), settings.frames(1199), settings.frames(1200)) == (1, 1, 2)
    clip = clips[1]
    outputs = network(settings)({"waveform": clip[None], "lengths": np.array([len(clip)])})
    mel = textbook_mel(clip, settings, window=1000, hop=200, fft=1024)
    expected = (mel - mel.mean(axis=0)) / (mel.std(axis=0) + 0.1)
    np.testing.assert_allclose(outputs["features"][0], expected, atol=2e-3)


def test_centres_of_mel_filters():
    """The centre of filter 40 of 80 from 20 to 7600 Hz agrees with 2595 log10(1 + f/700)."""
    filters = LogMel().mel_matrix()
    edges = np.linspace(31.75, 2787.57, 82)  # the two limits in mel, by hand
    centre = 700 * (10 ** (edges[40] / 2595) - 1)
    assert abs(filters[:, 39].argmax() * 16_000 / 512 - centre) < 16_000 / 512
    assert filters.min() >= 0
    assert (filters.max(axis=0) > 0).all()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"window": 1.01}, r"model.features.window must be at least .* and at most 1"),
        ({"window": 0.0}, r"model.features.window must be"),
        ({"hop": 0.0}, r"model.features.hop must be"),
        ({"mel_bins": 0}, r"model.features.mel_bins must be at least 1"),
        ({"sample_rate": 0}, r"model.features.sample_rate must be at least 1"),
        ({"high_hz": 9000.0}, r"must have 0 <= low_hz < high_hz <= sample_rate / 2"),
        (
            {"normalization": "global"},
            r"must be one of .*'level', 'running'. Received: 'global'",
        ),
    ],
)
def test_invalid_settings(wrong, message):
    with pytest.raises(ZooError, match=message):
        LogMel(**wrong)
