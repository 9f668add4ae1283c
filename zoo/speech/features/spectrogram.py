"""Mel spectrograms of recordings in NumPy."""

from __future__ import annotations

import functools

import numpy as np

from zoo.speech.features.frontend import LogMel

# Power relative to the maximum of a recording: lower power, below -80 dB, counts as silence.
FLOOR = 1e-8


def mel_spectrogram(waveform: np.ndarray, features: LogMel, top: float) -> np.ndarray:
    """Return the log-mel spectrogram of a recording, scaled to the range 0 to `top`.

    Frames are centred: the middle of the first one is the first sample. The recording is padded by
    reflection at both ends. The lowest and the highest level become 0 and `top`. With a `dynamic_range`,
    the mean of the recording is subtracted, and all levels at least this range below the highest one
    become 0, so that silence in a recording does not change its sounds.

    Args:
        waveform: float32 [samples] at `features.sample_rate`.
        features: settings of the spectrogram.
        top: highest value.

    Returns:
        float32 [1 + samples // hop, mel_bins]; zeros for a recording without sound.
    """
    margin, dynamic_range = features.window_samples // 2, features.dynamic_range
    if dynamic_range is not None:
        waveform = waveform - waveform.mean(dtype=np.float64)
    power = mel_power(np.pad(waveform.astype(np.float64), margin, mode="reflect"), features)
    if not power.any():
        return np.zeros(power.shape, np.float32)
    floor = FLOOR if dynamic_range is None else 10 ** (-dynamic_range / 10)
    levels = np.log(np.maximum(power, floor * power.max()))
    high = levels.max()
    low = levels.min() if dynamic_range is None else high + np.log(floor)
    return np.maximum(top * (levels - low) / (high - low), 0).astype(np.float32)


def mel_power(samples: np.ndarray, features: LogMel) -> np.ndarray:
    """Return the power of each frame in each mel filter, float64 [frames, mel_bins].

    Args:
        samples: float [samples], at least a window, at `features.sample_rate`.
        features: settings of the spectrogram.
    """
    window, hop = features.window_samples, features.hop_samples
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    hann, filters = _kernels(features)
    spectrum = np.fft.rfft(frames * hann, features.fft_length)
    return (spectrum.real**2 + spectrum.imag**2) @ filters


@functools.lru_cache(maxsize=4)
def _kernels(features: LogMel) -> tuple[np.ndarray, np.ndarray]:
    """Return the window and the filters. A long recording needs them thousands of times."""
    return features.hann(), features.mel_matrix()
