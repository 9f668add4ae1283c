"""Files as spectrograms: recordings through a mel filterbank, and arrays."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.utils.files import check_file
from zoo.speech.features.frontend import LogMel

# Of a recording's highest power: what lies more than 80 dB below it is taken for silence.
FLOOR = 1e-8
# More than the array of an hour has.
MAX_BYTES = 2**28


def mel_spectrogram(waveform: np.ndarray, features: LogMel, top: float) -> np.ndarray:
    """Return the log-mel spectrogram of a recording, scaled by itself to the range 0 to `top`.

    Frames are centred: the first on the first sample, as beyond both ends the recording were mirrored.

    Args:
        waveform: float32 [samples] at `features.sample_rate`.

    Returns:
        float32 [1 + samples // hop, mel_bins]; 0 throughout where there is no sound.
    """
    margin = features.window_samples // 2
    power = mel_power(np.pad(waveform.astype(np.float64), margin, mode="reflect"), features)
    if not power.any():
        return np.zeros(power.shape, np.float32)
    levels = np.log(np.maximum(power, FLOOR * power.max()))
    low, high = levels.min(), levels.max()
    return (top * (levels - low) / (high - low)).astype(np.float32)


def mel_power(samples: np.ndarray, features: LogMel) -> np.ndarray:
    """Return the power of each frame in each mel filter: float64 [frames, mel_bins].

    Args:
        samples: float [samples], at least a window, at `features.sample_rate`.
    """
    window, hop = features.window_samples, features.hop_samples
    frames = np.lib.stride_tricks.sliding_window_view(samples, window)[::hop]
    hann, filters = _kernels(features)
    spectrum = np.fft.rfft(frames * hann, features.fft_length)
    return (spectrum.real**2 + spectrum.imag**2) @ filters


@functools.lru_cache(maxsize=4)
def _kernels(features: LogMel) -> tuple[np.ndarray, np.ndarray]:
    """The window and the filters, which a long recording needs thousands of times."""
    return features.hann(), features.mel_matrix()


def read_array(source: str) -> np.ndarray:
    """Return the array of numbers in a .npy file. Raises `ZooError` where it holds none."""
    check_file(Path(source), MAX_BYTES)
    try:
        # Mapped, so that a header which says that there is more than the file has gets no memory.
        values = np.load(source, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # whatever a damaged header makes NumPy raise
        reason = " ".join(str(error).split())[:120]
        raise ZooError(f"{source}: no array of numbers: {reason}") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "uif" or not values.size:
        raise ZooError(f"{source}: no array of numbers")
    return np.array(values)
