"""The bidirectional recognizer: harness, numbers of frames, padding."""

import keras
import numpy as np
import pytest

from tests.harness import check_model, plain
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.data.batching import pad
from zoo.speech.audio.reading import read_audio
from zoo.speech.data import EXAMPLE_CLIPS
from zoo.speech.recognition.corpora.an4 import AN4

RECIPE = "speech/bilstm-ctc-an4"


def tiny(**overrides):
    settings = {"layers": 2, "hidden_size": 8, "conv_filters": 4} | overrides
    recipe = entry(RECIPE).recipe().override({f"model.{k}": v for k, v in settings.items()})
    return plain(recipe)


@pytest.fixture(scope="module")
def clips():
    return [read_audio(path, 16_000) for path in EXAMPLE_CLIPS]


@pytest.mark.parametrize(
    ("cell", "layers", "normalization"),
    [
        ("lstm", 2, "utterance"),
        pytest.param("gru", 1, "running", marks=pytest.mark.slow),
        pytest.param("mingru", 1, "utterance", marks=pytest.mark.slow),
    ],
)
def test_harness(cell, layers, normalization, an4, tmp_path, formats):
    recipe = tiny(cell=cell, layers=layers, **{"features.normalization": normalization})
    check_model(recipe, AN4.read(an4, "train")[:4], tmp_path / "tiny", formats)


@pytest.mark.parametrize("factor", [1, 2, 3, 4])
def test_number_of_frames(factor, clips):
    recipe = tiny(subsampling_factor=factor)
    waveform, lengths = pad(clips)
    outputs = recipe.model.build()({"waveform": waveform, "lengths": lengths})
    expected = [recipe.model.frames(len(clip)) for clip in clips]
    assert outputs["logit_lengths"].numpy().tolist() == expected
    assert outputs["logits"].shape == (len(clips), max(expected), 28)


@pytest.mark.parametrize("cell", ["lstm", "gru", "mingru", "lru"])
def test_padding_has_no_effect(cell, clips):
    """A clip has the same logits alone and in a batch, for any values of the padding."""
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


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ({"cell": "rnn"}, "cell"),
        ({"layers": 0}, "layers"),
        ({"hidden_size": 0}, "hidden_size"),
        ({"dropout": 1.0}, "dropout"),
        ({"vocabulary_size": 1}, "vocabulary_size"),
        ({"features.high_hz": 9000}, "high_hz"),
        ({"features.window": 1.5}, "features.window"),
    ],
)
def test_invalid_settings(overrides, name):
    with pytest.raises(ZooError, match=name):
        tiny(**overrides)
