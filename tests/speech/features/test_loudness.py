"""Features with a `dynamic_range`: they do not depend on level, offset and silence."""

import keras
import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.export.onnx.convert import to_onnx
from zoo.speech.audio.reading import read_audio
from zoo.speech.data import EXAMPLE_CLIPS
from zoo.speech.features.frontend import LogMel

NORMALIZATIONS = ("utterance", "level", "running")


def network(normalization):
    settings = LogMel(normalization=normalization, dynamic_range=60.0, prior_frames=100.0)
    waveform = keras.Input((None,), name="waveform")
    lengths = keras.Input((), dtype="int32", name="lengths")
    features, frames = settings(waveform, lengths)
    return keras.Model(
        {"waveform": waveform, "lengths": lengths}, {"features": features, "frames": frames}
    )


@pytest.fixture(scope="module", params=NORMALIZATIONS)
def model(request):
    return network(request.param)


@pytest.fixture(scope="module")
def clip():
    return read_audio(EXAMPLE_CLIPS[0], 16_000)


def features_of(model, clip):
    inputs = {"waveform": clip[None].astype(np.float32), "lengths": np.array([len(clip)])}
    return np.asarray(model(inputs)["features"][0])


@pytest.mark.parametrize("decibels", [-20, -40, 10])
def test_level(decibels, clip):
    for normalization in ("utterance", "level"):
        one = network(normalization)
        changed = features_of(one, clip * 10 ** (decibels / 20))
        np.testing.assert_allclose(changed, features_of(one, clip), atol=2e-3)


def test_level_of_running_normalization(clip):
    """The level that is expected at the begin has little effect after a second."""
    one = network("running")
    before, after = features_of(one, clip)[100:], features_of(one, clip * 0.01)[100:]
    assert np.corrcoef(before.ravel(), after.ravel())[0, 1] > 0.98


def test_offset(model, clip):
    np.testing.assert_allclose(features_of(model, clip + 0.1), features_of(model, clip), atol=0.05)


def test_digital_silence_does_not_change_the_sound(clip):
    """Only the frames at the border of sound and zeros differ."""
    frames, clip = 200, clip - clip.mean()
    padded = np.pad(clip, (frames * 160, 8000))
    for normalization in ("utterance", "level"):
        one = network(normalization)
        expected = features_of(one, clip)
        found = features_of(one, padded)[frames : frames + len(expected)]
        np.testing.assert_allclose(found, expected, atol=0.1)
        assert np.abs(found - expected).mean() < 0.02


def test_statistics_do_not_change_during_silence(clip):
    """The same sound before and after ten seconds of zeros has the same features."""
    one, gap = network("running"), 1000 * 160
    clip = np.pad(clip, (0, -len(clip) % 160))
    twice = features_of(one, np.concatenate([clip, clip, np.zeros(gap, np.float32), clip]))
    without = features_of(one, np.concatenate([clip, clip, clip]))
    second = 2 * len(clip) // 160
    np.testing.assert_allclose(twice[second + 3 + 1000 :], without[second + 3 :], atol=0.02)


def test_zeros_are_finite(model):
    assert np.isfinite(features_of(model, np.zeros(4000, np.float32))).all()


def test_runtime(model, clip):
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(to_onnx(model).SerializeToString())
    inputs = {"waveform": clip[None], "lengths": np.array([len(clip)], np.int32)}
    (features,) = session.run(["features"], inputs)
    np.testing.assert_allclose(features[0], features_of(model, clip), atol=2e-3)


def test_invalid_range():
    with pytest.raises(ZooError, match="dynamic_range must be at least 20 and at most 120"):
        LogMel(dynamic_range=5.0)
