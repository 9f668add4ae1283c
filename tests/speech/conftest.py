"""Long recordings from real clips, and shipped presets that are opened once for all tests."""

import numpy as np
import pytest
import soundfile

import zoo
from tests.conftest import AN4
from zoo.speech.audio.reading import read_audio

RECOGNIZER, DIGITS, WHALES = (
    "speech/bilstm-ctc-an4",
    "speech/bilstm-fsdd",
    "speech/crnn-right-whale",
)
CLIPS = sorted(map(str, (AN4 / "test").rglob("*.flac")))
DIGIT_CLIPS = sorted(map(str, (AN4.parent / "fsdd" / "recordings").glob("*.flac")))
RATE = 16_000


def join(paths, rate, silence):
    """Return a signal of clips with a duration of silence around each."""
    pause = np.zeros(round(silence * rate), np.float32)
    parts = [part for path in paths for part in (pause, read_audio(path, rate))]
    return np.concatenate([*parts, pause])


def sea(seconds=21.3):
    """Return noise at 2 kHz, with a rising tone like an up-call from 10 to 11 s."""
    generator = np.random.default_rng(0)
    signal = generator.standard_normal(round(seconds * 2000)) * 0.02
    t = np.arange(2000) / 2000
    call = np.sin(2 * np.pi * (90 * t + 50 * t**2)) * np.hanning(2000)
    signal[20_000:22_000] += 0.3 * call
    return signal


@pytest.fixture(scope="session")
def long_folder(tmp_path_factory):
    """Return a folder with long recordings of speech, digits, an up-call and silence."""
    folder = tmp_path_factory.mktemp("long")
    soundfile.write(folder / "speech.flac", join(CLIPS, RATE, 1.2), RATE)
    soundfile.write(folder / "digits.wav", join(DIGIT_CLIPS, 8000, 0.4), 8000)
    soundfile.write(folder / "sea.wav", sea(), 2000)
    soundfile.write(folder / "silent.wav", np.zeros(9000), 1000)
    return folder


@pytest.fixture(scope="session")
def loaded():
    """Return the presets of these tests by name."""
    return {name: zoo.load(name) for name in (RECOGNIZER, DIGITS, WHALES)}


@pytest.fixture
def opened_once(loaded, monkeypatch):
    """Make the command line use the loaded presets."""
    monkeypatch.setattr("zoo.api.options.open_graphs", lambda _, name: loaded[str(name)].graphs)
