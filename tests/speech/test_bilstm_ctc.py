"""The recogniser's model: its frames, its indifference to padding, its front end."""

import keras
import numpy as np
import pytest

from tests.harness import check_model, plain
from zoo.common.errors import ZooError
from zoo.common.registry import entry
from zoo.speech.audio import read_audio
from zoo.speech.corpora import read_corpus
from zoo.speech.frontend import LogMel
from zoo.speech.task import SAMPLES, pad

RECIPE = "speech/bilstm-ctc-an4"


def tiny(**overrides):
    settings = {"layers": 2, "hidden_size": 8, "conv_filters": 4} | overrides
    recipe = entry(RECIPE).recipe().override({f"model.{k}": v for k, v in settings.items()})
    return plain(recipe)


@pytest.fixture(scope="module")
def clips():
    return [read_audio(path, 16_000) for path in SAMPLES]


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_harness(cell, an4, tmp_path):
    examples = read_corpus("an4", an4, "train")[:4]
    check_model(tiny(cell=cell), examples, tmp_path / "tiny")


@pytest.mark.parametrize("reduction", [1, 2, 3, 4])
def test_frames_are_as_many_as_the_config_says(reduction, clips):
    recipe = tiny(time_reduction=reduction)
    waveform, lengths = pad(clips)
    outputs = recipe.model.build()({"waveform": waveform, "lengths": lengths})
    expected = [recipe.model.frames(len(clip)) for clip in clips]
    assert outputs["logit_lengths"].numpy().tolist() == expected
    assert outputs["logits"].shape == (len(clips), max(expected), 28)


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_padding_has_no_effect(cell, clips):
    """Logits of a clip alone are those of the clip in a batch, whatever the padding holds."""
    keras.utils.set_random_seed(1)
    model = tiny(cell=cell).model.build()
    _, lengths = pad(clips)
    noise = np.random.default_rng(0).normal(0, 0.3, (len(clips), lengths.max() + 5000))
    noise = noise.astype(np.float32)
    for row, clip in zip(noise, clips, strict=True):
        row[: len(clip)] = clip
    together = model({"waveform": noise, "lengths": lengths})
    for i, clip in enumerate(clips):
        alone = model({"waveform": clip[None], "lengths": lengths[i : i + 1]})["logits"][0]
        np.testing.assert_allclose(together["logits"][i, : len(alone)], alone, atol=2e-5)


def test_log_mel_is_the_textbook_one(clips):
    """Against NumPy's FFT, frame by frame, with the filters and the normalisation written out."""
    settings, clip = LogMel(), clips[0]
    waveform, lengths = keras.Input((None,)), keras.Input((), dtype="int32")
    network = keras.Model([waveform, lengths], settings(waveform, lengths))
    features, frames = network([clip[None], np.array([len(clip)])])

    count = 1 + (len(clip) - 400) // 160
    assert int(frames[0]) == settings.frames(len(clip)) == count
    framed = np.stack([clip[160 * t : 160 * t + 400] for t in range(count)]).astype(np.float64)
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(400) / 400)
    power = np.abs(np.fft.rfft(framed * hann, 512)) ** 2
    mel = np.log(power @ settings.mel_matrix().astype(np.float64) + 1e-6)
    expected = (mel - mel.mean(axis=0)) / (mel.std(axis=0) + 0.1)
    np.testing.assert_allclose(features[0], expected, atol=2e-3)


def test_mel_filters_peak_where_the_scale_says():
    """Filter 40 of 80 between 20 and 7600 Hz is centred where 2595 log10(1 + f/700) puts it."""
    filters = LogMel().mel_matrix()
    edges = np.linspace(31.75, 2787.57, 82)  # the two limits in mel, by hand
    centre = 700 * (10 ** (edges[40] / 2595) - 1)
    assert abs(filters[:, 39].argmax() * 16_000 / 512 - centre) < 16_000 / 512
    assert filters.min() >= 0
    assert (filters.max(axis=0) > 0).all()


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ({"cell": "rnn"}, "cell"),
        ({"layers": 0}, "layers"),
        ({"hidden_size": 0}, "hidden_size"),
        ({"dropout": 1.0}, "dropout"),
        ({"symbols": 1}, "symbols"),
        ({"features.high_hz": 9000}, "high_hz"),
    ],
)
def test_what_cannot_be_built_is_refused(overrides, name):
    with pytest.raises(ZooError, match=name):
        tiny(**overrides)
