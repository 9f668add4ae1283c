"""Random changes of recordings: levels, ratios and decay times that are known."""

import dataclasses

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.speech.audio.augmentation import (
    EFFECTS,
    MU,
    Augmentation,
    add_noise,
    add_silence,
    babble,
    coloured_noise,
    impulse_response,
    reverberate,
    telephone,
)

RATE = 16_000


def tone(hz, seconds=1.0):
    return (0.5 * np.sin(2 * np.pi * hz * np.arange(int(seconds * RATE)) / RATE)).astype(np.float32)


def decibels(samples):
    return 10 * np.log10(np.mean(np.square(samples, dtype=np.float64)))


def test_without_effects_a_recording_does_not_change():
    signal = tone(440)
    np.testing.assert_array_equal(Augmentation()(signal, RATE, np.random.default_rng(0)), signal)


def test_equal_seeds_give_equal_recordings():
    every = Augmentation(**dict.fromkeys(EFFECTS, 1.0))
    one, same, other = (every(tone(440), RATE, np.random.default_rng(seed)) for seed in (1, 1, 2))
    assert one.dtype == np.float32
    np.testing.assert_array_equal(one, same)
    assert len(one) != len(other) or not np.allclose(one, other)


@pytest.mark.parametrize("ratio", [-5.0, 0.0, 20.0])
def test_ratio_of_noise(ratio):
    """The offset of a recording is not part of its power."""
    signal, noise = tone(440) + 0.1, coloured_noise(RATE, 1.0, np.random.default_rng(0))
    added = add_noise(signal, noise, ratio) - signal
    assert decibels(signal - 0.1) - decibels(added) == pytest.approx(ratio, abs=0.01)


@pytest.mark.parametrize(("exponent", "expected"), [(0.0, 0.0), (1.0, -3.01), (2.0, -6.02)])
def test_slope_of_coloured_noise(exponent, expected):
    """Power per octave of frequency, in dB, from 200 to 400 and from 3200 to 6400 Hz."""
    power = np.abs(np.fft.rfft(coloured_noise(20 * RATE, exponent, np.random.default_rng(0)))) ** 2
    low, high = power[4000:8000].mean(), power[64000:128000].mean()  # bins of 0.05 Hz
    assert 10 * np.log10(high / low) / 4 == pytest.approx(expected, abs=0.1)


def test_babble_is_low_and_has_no_offset():
    noise = babble(4 * RATE, RATE, np.random.default_rng(0))
    power = np.abs(np.fft.rfft(noise)) ** 2
    assert abs(noise.mean()) < 1e-9
    assert power[: 4 * 1500].sum() > 0.9 * power.sum()  # most of it is below 1500 Hz


@pytest.mark.parametrize("decay", [0.2, 0.5])
def test_decay_time(decay):
    """Schroeder's integral falls from -5 to -25 dB in a third of the decay time."""
    response = impulse_response(decay, RATE, np.random.default_rng(0))
    assert response[0] == 1
    assert np.sum(np.square(response[1:])) == pytest.approx(0.5)
    remaining = np.cumsum(np.square(response[:0:-1]))[::-1]
    level = 10 * np.log10(remaining / remaining[0])
    seconds = (np.argmax(level < -25) - np.argmax(level < -5)) / RATE
    assert 3 * seconds == pytest.approx(decay, rel=0.1)


def test_reverberation_keeps_length_and_power():
    signal = tone(440)
    wet = reverberate(signal, impulse_response(0.3, RATE, np.random.default_rng(0)))
    assert len(wet) == len(signal)
    assert decibels(wet) == pytest.approx(decibels(signal), abs=1e-3)
    np.testing.assert_allclose(reverberate(signal, np.array([1.0])), signal, atol=1e-6)


def test_telephone_keeps_low_and_removes_high_frequencies():
    assert decibels(telephone(tone(1000), RATE)) == pytest.approx(decibels(tone(1000)), abs=0.2)
    assert decibels(telephone(tone(6000), RATE)) < decibels(tone(6000)) - 40


def test_mu_law():
    """The code of 0.1 is round(127 ln(1 + 255 / 10) / ln 256) = 75, which means 0.0997."""
    constant = np.full(8000, 0.1, np.float32)
    expected = (256 ** (75 / 127) - 1) / MU
    np.testing.assert_allclose(telephone(constant, 8_000)[1000:-1000], expected, rtol=1e-5)


def test_silence_around_a_recording():
    signal, digital = tone(440), False
    for seed in range(8):
        padded = add_silence(signal, np.array([300, 500]), np.random.default_rng(seed))
        assert len(padded) == 300 + len(signal) + 500
        digital = digital or not padded[:300].any()
        assert decibels(padded[:300] + 1e-9) < decibels(signal) - 30
    assert digital


def test_gain_and_offset():
    louder = Augmentation(gain=1.0, gain_db=(6.0, 6.0))(tone(440), RATE, np.random.default_rng(0))
    assert decibels(louder) - decibels(tone(440)) == pytest.approx(6, abs=0.01)
    moved = Augmentation(offset=1.0)(tone(440), RATE, np.random.default_rng(0))
    assert 0 < abs(moved.mean()) <= 0.1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"noise": 1.1}, "data.augmentation.noise must be"),
        ({"decay": (0.0, 1.0)}, "data.augmentation.decay must be at least 0.01"),
        ({"noise_ratio": (30.0, 5.0)}, "noise_ratio must be a lowest and a highest value"),
        ({"gain_db": (0.0,)}, "gain_db must be a lowest and a highest value"),
        ({"silence_seconds": (0.0, 60.0)}, "silence_seconds must be at most 30"),
    ],
)
def test_invalid_settings(wrong, message):
    with pytest.raises(ZooError, match=message):
        dataclasses.replace(Augmentation(), **wrong)
