"""Change training recordings as microphones, rooms and telephones do.

Each effect has a probability; with the defaults, recordings do not change. All noise is generated, and
all random numbers come from a generator, so that equal seeds give equal recordings.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import soxr

from zoo.common.core.errors import ZooError, check_range

EFFECTS = ("codec", "reverberation", "noise", "silence", "offset", "gain")
RANGES = ("noise_ratio", "decay", "silence_seconds", "gain_db")
# Exponents a of noise with the power spectrum 1 / f^a: white, pink and brown.
COLOURS = (0.0, 1.0, 2.0)
# The sample rate of telephones in Hz, and the constant of their 8-bit code (ITU-T G.711).
TELEPHONE_RATE, MU = 8_000, 255.0
# Energy of a reverberation relative to that of the direct sound: -3 dB.
REVERBERANT = 0.5
# A decay time ends 60 dB below the begin: 60 = 20 log10(exp(DECAY)).
DECAY = 3 * np.log(10)
# Level in dB of the noise of a silence, relative to the recording, and the probability of zeros instead.
SILENCE_NOISE, ZEROS = (-60.0, -35.0), 0.5
# Babble: number of voices, and their syllables per second.
VOICES, SYLLABLES = 6, 4.0


@dataclass(frozen=True)
class Augmentation:
    """Settings of random changes of a recording, in the order of their application.

    Args:
        codec: probability of a telephone line: 8 kHz, mu-law with 8 bits.
        reverberation: probability of reverberation.
        decay: shortest and longest decay time of a room in seconds (RT60).
        noise: probability of added noise: white, pink, brown or babble.
        noise_ratio: lowest and highest ratio of the powers of recording and noise in dB.
        silence: probability of silence, digital or with low noise, before and after the recording.
        silence_seconds: shortest and longest silence at each end.
        offset: probability of a constant offset (DC) of up to 0.1 of full scale.
        gain: probability of another level.
        gain_db: lowest and highest change of the level in dB.
    """

    codec: float = 0.0
    reverberation: float = 0.0
    decay: tuple[float, float] = (0.1, 0.6)
    noise: float = 0.0
    noise_ratio: tuple[float, float] = (5.0, 30.0)
    silence: float = 0.0
    silence_seconds: tuple[float, float] = (0.0, 2.0)
    offset: float = 0.0
    gain: float = 0.0
    gain_db: tuple[float, float] = (-30.0, 0.0)

    def __post_init__(self):
        for name in EFFECTS:
            check_range(f"data.augmentation.{name}", getattr(self, name), at_least=0, at_most=1)
        for name in RANGES:
            values = getattr(self, name)
            if len(values) != 2 or not values[0] <= values[1]:
                raise ZooError(
                    f"data.augmentation.{name} must be a lowest and a highest value. "
                    f"Received: {values}."
                )
        check_range("data.augmentation.decay", self.decay[0], at_least=0.01)
        check_range("data.augmentation.decay", self.decay[1], at_most=5)
        check_range("data.augmentation.silence_seconds", self.silence_seconds[0], at_least=0)
        check_range("data.augmentation.silence_seconds", self.silence_seconds[1], at_most=30)
        check_range("data.augmentation.gain_db", self.gain_db[1], at_most=40)

    def __call__(
        self, waveform: np.ndarray, sample_rate: int, generator: np.random.Generator
    ) -> np.ndarray:
        """Return a changed recording, float32 [samples].

        Args:
            waveform: float32 [samples].
            sample_rate: sample rate in Hz.
            generator: source of all random numbers.
        """
        if not len(waveform):
            return waveform
        wanted = {name: generator.random() < getattr(self, name) for name in EFFECTS}
        if wanted["codec"]:
            waveform = telephone(waveform, sample_rate)
        if wanted["reverberation"]:
            response = impulse_response(generator.uniform(*self.decay), sample_rate, generator)
            waveform = reverberate(waveform, response)
        if wanted["noise"]:
            kind = generator.integers(len(COLOURS) + 1)
            noise = (
                coloured_noise(len(waveform), COLOURS[kind], generator)
                if kind < len(COLOURS)
                else babble(len(waveform), sample_rate, generator)
            )
            waveform = add_noise(waveform, noise, generator.uniform(*self.noise_ratio))
        if wanted["silence"]:
            sizes = sample_rate * generator.uniform(*self.silence_seconds, size=2)
            waveform = add_silence(waveform, sizes.astype(int), generator)
        if wanted["offset"]:
            waveform = waveform + generator.uniform(-0.1, 0.1)
        if wanted["gain"]:
            waveform = waveform * 10 ** (generator.uniform(*self.gain_db) / 20)
        return waveform.astype(np.float32)


# The conditions of the recordings that users send to a recognizer.
USERS_CONDITIONS = Augmentation(
    codec=0.25, reverberation=0.2, noise=0.5, noise_ratio=(8.0, 35.0), offset=0.1
)


def telephone(waveform: np.ndarray, sample_rate: int) -> np.ndarray:
    """Return a recording after a telephone line: band limit 4 kHz, mu-law with 8 bits."""
    rate = min(sample_rate, TELEPHONE_RATE)
    narrow = np.clip(soxr.resample(waveform, sample_rate, rate), -1, 1)
    code = np.round(127 * np.sign(narrow) * np.log1p(MU * np.abs(narrow)) / np.log1p(MU))
    decoded = np.sign(code) * np.expm1(np.abs(code) / 127 * np.log1p(MU)) / MU
    wide = soxr.resample(decoded.astype(np.float32), rate, sample_rate)
    return _of_length(wide, len(waveform))


def impulse_response(decay: float, sample_rate: int, generator: np.random.Generator) -> np.ndarray:
    """Return the response of a room: the direct sound, then noise that decays exponentially.

    Args:
        decay: time in seconds in which the reverberation falls by 60 dB.
        sample_rate: sample rate in Hz.
        generator: source of the noise.

    Returns:
        float64 [samples]; element 0 is the direct sound, 1.
    """
    time = np.arange(max(2, int(decay * sample_rate))) / sample_rate
    tail = generator.standard_normal(len(time)) * np.exp(-DECAY * time / decay)
    tail[0] = 0.0
    response = tail * np.sqrt(REVERBERANT / np.sum(np.square(tail)))
    response[0] = 1.0
    return response


def reverberate(waveform: np.ndarray, response: np.ndarray) -> np.ndarray:
    """Return a recording in a room, with the length and the power of the recording."""
    size = len(waveform) + len(response) - 1
    fast = 1 << (size - 1).bit_length()
    wet = np.fft.irfft(np.fft.rfft(waveform, fast) * np.fft.rfft(response, fast), fast)
    wet = wet[: len(waveform)]
    power = _power(wet)
    return wet * np.sqrt(_power(waveform) / power) if power > 0 else wet


def coloured_noise(samples: int, exponent: float, generator: np.random.Generator) -> np.ndarray:
    """Return noise with the power spectrum 1 / f^exponent and without offset, float64 [samples]."""
    spectrum = np.fft.rfft(generator.standard_normal(samples))
    frequency = np.arange(len(spectrum), dtype=np.float64)
    frequency[0] = np.inf if exponent else 1.0
    spectrum *= frequency ** (-exponent / 2)
    spectrum[0] = 0.0
    return np.fft.irfft(spectrum, samples)


def babble(samples: int, sample_rate: int, generator: np.random.Generator) -> np.ndarray:
    """Return a noise like several voices: pulse trains with changing pitch, in syllables."""
    time = np.arange(samples) / sample_rate
    total = np.zeros(samples)
    for _ in range(VOICES):
        pitch, start = generator.uniform(90, 250), generator.uniform(0, 2 * np.pi, 2)
        glide = 1 + 0.1 * np.sin(2 * np.pi * generator.uniform(0.3, 1.0) * time + start[0])
        pulses = np.diff(np.floor(np.cumsum(pitch * glide / sample_rate)), prepend=0.0)
        syllables = np.square(np.sin(np.pi * SYLLABLES * time + start[1]))
        formants = impulse_response(0.05, sample_rate, generator)
        total += syllables * reverberate(pulses + 0.02, formants)
    spectrum = np.fft.rfft(total)
    frequency = np.fft.rfftfreq(samples, 1 / sample_rate)
    tilted = spectrum / (1 + np.square(frequency / 500))
    tilted[0] = 0.0
    return np.fft.irfft(tilted, samples)


def rain(samples: int, sample_rate: int, generator: np.random.Generator) -> np.ndarray:
    """Return a noise like rain: drops, short decaying pulses of random size, over low white noise."""
    drops = generator.random(samples) < generator.uniform(50, 2000) / sample_rate
    sizes = drops * generator.exponential(size=samples) * generator.choice((-1, 1), samples)
    size = max(2, int(generator.uniform(0.001, 0.01) * sample_rate))
    pulse = generator.standard_normal(size) * np.exp(-5 * np.arange(size) / size)
    fast = 1 << (samples + size).bit_length()
    wet = np.fft.irfft(np.fft.rfft(sizes, fast) * np.fft.rfft(pulse, fast), fast)[:samples]
    return wet + generator.uniform(0.01, 0.3) * wet.std() * generator.standard_normal(samples)


def engine(samples: int, sample_rate: int, generator: np.random.Generator) -> np.ndarray:
    """Return a noise like an engine: harmonics of a slowly changing rate, with a beat, in noise."""
    time = np.arange(samples) / sample_rate
    rate = generator.uniform(15, 120)
    drift = 1 + 0.03 * np.sin(2 * np.pi * generator.uniform(0.05, 0.5) * time)
    phase = 2 * np.pi * np.cumsum(rate * drift) / sample_rate
    count = min(40, int(0.45 * sample_rate / rate))
    tones = sum(
        generator.uniform(0.3, 1) / k * np.sin(k * phase + generator.uniform(0, 2 * np.pi))
        for k in range(1, count + 1)
    )
    beat = 1 + generator.uniform(0, 0.5) * np.sin(2 * np.pi * generator.uniform(1, 10) * time)
    noise = coloured_noise(samples, 1.0, generator)
    return add_noise(beat * tones, noise, generator.uniform(-5, 20))


def random_noise(samples: int, sample_rate: int, generator: np.random.Generator) -> np.ndarray:
    """Return a noise of a random kind: coloured, babble, rain or an engine; half of them low-passed.

    Args:
        samples: number of samples.
        sample_rate: sample rate in Hz.
        generator: source of all random numbers.

    Returns:
        float64 [samples], with a peak of 0.5.
    """
    kinds = [babble, rain, engine, *[None] * 3]
    kind = kinds[generator.integers(len(kinds))]
    noise = (
        coloured_noise(samples, generator.uniform(0, 2), generator)
        if kind is None
        else kind(samples, sample_rate, generator)
    )
    if generator.random() < 0.5:
        spectrum = np.fft.rfft(noise)
        limit = np.exp(generator.uniform(np.log(200), np.log(sample_rate / 2)))
        spectrum /= 1 + (np.fft.rfftfreq(samples, 1 / sample_rate) / limit) ** 8
        noise = np.fft.irfft(spectrum, samples)
    return 0.5 * noise / max(np.abs(noise).max(), 1e-9)


def add_noise(waveform: np.ndarray, noise: np.ndarray, ratio: float) -> np.ndarray:
    """Return a recording with noise.

    Args:
        waveform: float [samples].
        noise: float [samples].
        ratio: ratio of the mean powers of recording, without its offset, and noise in dB.
    """
    power = _power(noise)
    if power == 0:
        return waveform
    return waveform + noise * np.sqrt(np.var(waveform) / power * 10 ** (-ratio / 10))


def add_silence(
    waveform: np.ndarray, sizes: np.ndarray, generator: np.random.Generator
) -> np.ndarray:
    """Return a recording between two silences: zeros, or low white noise throughout.

    Args:
        waveform: float [samples].
        sizes: number of samples of silence before and after the recording.
        generator: source of the noise and its level.
    """
    padded = np.pad(waveform, tuple(sizes))
    if generator.random() < ZEROS:
        return padded
    level = np.sqrt(np.var(waveform)) * 10 ** (generator.uniform(*SILENCE_NOISE) / 20)
    return padded + level * generator.standard_normal(len(padded))


def _power(samples: np.ndarray) -> float:
    return float(np.mean(np.square(samples, dtype=np.float64)))


def _of_length(samples: np.ndarray, size: int) -> np.ndarray:
    return np.pad(samples[:size], (0, max(0, size - len(samples))))
