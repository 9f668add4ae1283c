"""A detector that is trained with generated noise as its background; spectrograms of changed sound."""

import numpy as np
import pytest

from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.speech.audio.augmentation import Augmentation, engine, rain, random_noise
from zoo.speech.detection.corpora.spectrogram import Spectrogram
from zoo.speech.detection.spectrograms import Spectrograms
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.spectrogram import mel_spectrogram

FEATURES = LogMel(
    sample_rate=4_000, window=0.064, hop=0.02, mel_bins=32, high_hz=2_000.0, dynamic_range=60.0
)


def chirp():
    time = np.arange(4_000) / 4_000
    return (0.3 * np.sin(2 * np.pi * (200 + 300 * time) * time)).astype(np.float32)


@pytest.fixture
def examples(tmp_path):
    import soundfile

    rows = []
    for number, label in enumerate(("low", "high")):
        path = tmp_path / f"{label}.wav"
        soundfile.write(path, chirp() * (number + 1), 4_000, "FLOAT")
        rows.append(Spectrogram(label, label, path=path))
    return rows


def adapted(examples, **settings):
    data = Spectrograms(features=FEATURES, background="none", background_share=1.5, **settings)
    return data.adapt(examples, entry("speech/crnn-watkins").recipe().model)


def test_epochs_have_noise_of_the_background_class(examples):
    data, model = adapted(examples)
    assert data.labels.symbols == ("high", "low", "none")
    assert model.num_classes == 3
    batches = data.batches(examples, model, None, Epoch(0, 8, 0))
    labels = np.concatenate([y["label"] for _, y, _ in batches.generate()])
    assert sorted(labels) == [0, 1, 2, 2, 2]
    again = [x["spectrogram"] for x, _, _ in batches.generate()]
    for one, two in zip(again, (x["spectrogram"] for x, _, _ in batches.generate()), strict=True):
        np.testing.assert_array_equal(one, two)


def test_augmentation_changes_the_sound(examples):
    plain, model = adapted(examples)
    noisy, _ = adapted(examples, augmentation=Augmentation(noise=1.0, noise_ratio=(0.0, 0.0)))
    generator = np.random.default_rng(0)
    before, _ = plain._training_row(examples[0], model, generator)
    after, _ = noisy._training_row(examples[0], model, generator)
    assert before.shape == after.shape
    assert np.median(after) > np.median(before) + 5


@pytest.mark.parametrize("level", [1.0, 0.1, 0.01])
def test_spectrogram_does_not_depend_on_level_offset_and_zeros(level):
    signal, hop = chirp(), FEATURES.hop_samples
    expected = mel_spectrogram(signal, FEATURES, 63.0)
    changed = mel_spectrogram(level * signal + 0.1, FEATURES, 63.0)
    np.testing.assert_allclose(changed, expected, atol=0.2)
    padded = mel_spectrogram(np.pad(signal * level, (50 * hop, 50 * hop)), FEATURES, 63.0)
    np.testing.assert_allclose(padded[54 : 46 + len(expected)], expected[4:-4], atol=0.2)


@pytest.mark.parametrize("noise", [rain, engine, random_noise])
def test_generated_noise(noise):
    one = noise(8_000, 4_000, np.random.default_rng(3))
    assert one.shape == (8_000,)
    assert np.isfinite(one).all()
    assert one.std() > 0
    np.testing.assert_array_equal(one, noise(8_000, 4_000, np.random.default_rng(3)))


def test_share_of_noise_needs_a_class():
    with pytest.raises(ZooError, match=r"background_share needs data\.background"):
        Spectrograms(background_share=0.5)
