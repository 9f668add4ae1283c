"""Deep Speech: harness, the equations of the paper, padding."""

import keras
import numpy as np
import pytest

from tests.harness import check_model, plain
from zoo.common.core.registry import entry
from zoo.common.data.batching import pad
from zoo.speech.audio.reading import read_audio
from zoo.speech.data import EXAMPLE_CLIPS
from zoo.speech.recognition.corpora.an4 import AN4
from zoo.speech.recognition.models.deepspeech import SCALE

CLIP = 20.0


def recipe(**overrides):
    settings = {"hidden_size": 8, "context": 2} | overrides
    made = entry("speech/deepspeech-an4").recipe()
    return plain(made.override({f"model.{key}": value for key, value in settings.items()}))


@pytest.fixture(scope="module")
def clips():
    return [read_audio(path, 16_000) for path in EXAMPLE_CLIPS[:2]]


@pytest.fixture(scope="module")
def model():
    """Return a model whose weights are large enough that units are clipped."""
    keras.utils.set_random_seed(1)
    model = recipe().model.build()
    for weight in model.trainable_weights:
        if weight.name != "recurrent_kernel":
            weight.assign(3 * weight if weight.name == "kernel" else weight + 0.5)
    return model


def test_harness(an4, tmp_path, formats):
    check_model(recipe(), AN4.read(an4, "train")[:4], tmp_path / "tiny", formats)


def test_equations(model, clips):
    """Against NumPy, frame by frame: windows, clipped units, the sum of both directions."""
    config = recipe().model
    inputs = {"waveform": clips[0][None], "lengths": np.array([len(clips[0])], np.int32)}
    features = np.array(config.front_end(model)(inputs)["features"][0])
    features = np.pad(features, ((config.context, config.context), (0, 0)))
    weights = {weight.path: np.array(weight) for weight in model.weights}
    clipped = []

    def g(x):
        clipped.append(np.mean(x > CLIP))
        return np.clip(x, 0, CLIP)

    def dense(x, name):
        return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    window, step = 2 * config.context + 1, config.subsampling_factor
    kernel = weights["dense1/kernel"].reshape(-1, config.hidden_size)
    windows = [features[t : t + window].ravel() for t in range(0, len(features) - window + 1, step)]
    x = g(np.stack(windows) @ kernel + weights["dense1/bias"])
    x = g(dense(g(dense(x, "dense2")), "dense3"))
    x = dense(x, "dense4") / SCALE
    total = np.zeros_like(x)
    for direction, order in (("forward", range(len(x))), ("backward", reversed(range(len(x))))):
        (recurrent,) = (
            value for path, value in weights.items()
            if path.startswith(f"recurrent/{direction}") and path.endswith("recurrent_kernel")
        )  # fmt: skip
        h = np.zeros(config.hidden_size)
        for t in order:
            h = g(x[t] + h @ recurrent)
            total[t] += h
    expected = dense(g(dense(total, "dense5")), "logits")
    assert max(clipped) > 0.01
    np.testing.assert_allclose(model(inputs)["logits"][0], expected, rtol=1e-3, atol=1e-3)


def test_padding_has_no_effect(model, clips):
    """A clip has the same logits alone and in a batch."""
    waveform, lengths = pad(clips)
    together = model({"waveform": waveform, "lengths": lengths})["logits"]
    for i, clip in enumerate(clips):
        alone = model({"waveform": clip[None], "lengths": lengths[i : i + 1]})["logits"][0]
        np.testing.assert_allclose(together[i, : len(alone)], alone, rtol=1e-4, atol=1e-3)
