"""Log-mel features of waveforms, in layers that all runtimes support."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.core.settings import fine_tunable
from zoo.common.core.states import StateSpec
from zoo.common.layers.make import MakeLayer, new_layer
from zoo.common.layers.masks import frame_mask
from zoo.speech.features.loudness import (
    is_sound,
    loudness_states,
    normalize_by_loudness,
    recording_loudness,
    relative_log,
    without_offset,
)
from zoo.speech.features.running_normalization import (
    DEVIATION_FLOOR,
    normalize_running,
    running_states,
)

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor

SPACINGS = ("mel", "hz")
NORMALIZATIONS = ("utterance", "level", "running")
# Added to the power without a `dynamic_range`.
POWER_FLOOR = 1e-6


@dataclass(frozen=True)
class LogMel:
    """Normalized log-mel filterbank features.

    Args:
        sample_rate: sample rate in Hz.
        window: duration of an analysis frame in seconds.
        hop: time between the begins of two frames in seconds.
        mel_bins: number of triangular filters between low_hz and high_hz.
        low_hz: lower limit of the filters in Hz.
        high_hz: upper limit of the filters in Hz.
        spacing: "mel" or "hz", the scale on which filters are spaced evenly.
        normalization: over what mean and deviation are computed.
            "utterance": each filter over the whole utterance, which removes speaker and microphone.
            "level": all filters over the whole utterance, which removes only the loudness. In a single
                word, the mean of a filter has much information about the word.
            "running": each filter over the frames so far, so that a frame does not depend on later ones.
        prior_frames: weight of the prior of "running" normalization, as a number of frames; see
            `zoo.speech.features.running_normalization`.
        dynamic_range: range in dB below the loud frames of a recording; lower power counts as this much.
            Features then do not depend on the level and the offset (DC) of a recording, and frames that
            are silent compared with the loud ones do not count in mean and deviation; see
            `zoo.speech.features.loudness`. None for a fixed floor of the power, 1e-6.
    """

    sample_rate: int = 16_000
    window: float = 0.025
    hop: float = 0.010
    mel_bins: int = 80
    low_hz: float = 20.0
    high_hz: float = 7_600.0
    spacing: str = "mel"
    normalization: str = "utterance"
    prior_frames: float = 0.0
    dynamic_range: float | None = fine_tunable(None)

    def __post_init__(self):
        check_range("model.features.sample_rate", self.sample_rate, at_least=1_000, at_most=200_000)
        if not 0 <= self.low_hz < self.high_hz <= self.sample_rate / 2:
            raise ZooError(
                "The mel filters must have 0 <= low_hz < high_hz <= sample_rate / 2. Received: "
                f"low_hz={self.low_hz}, high_hz={self.high_hz}, sample_rate={self.sample_rate}."
            )
        for name in ("window", "hop"):  # at least one sample
            value = getattr(self, name)
            check_range(f"model.features.{name}", value, at_least=1 / self.sample_rate, at_most=1)
        check_range("model.features.window in samples", self.window_samples, at_most=4_096)
        check_range("model.features.mel_bins", self.mel_bins, at_least=1, at_most=1_024)
        check_choice("model.features.spacing", self.spacing, SPACINGS)
        check_choice("model.features.normalization", self.normalization, NORMALIZATIONS)
        check_range("model.features.prior_frames", self.prior_frames, at_least=0)
        if self.dynamic_range is not None:
            check_range(
                "model.features.dynamic_range", self.dynamic_range, at_least=20, at_most=120
            )

    @property
    def window_samples(self) -> int:
        """The number of samples in an analysis frame, which is the minimum length of a waveform."""
        return round(self.window * self.sample_rate)

    @property
    def min_seconds(self) -> float:
        """The minimum duration of a waveform in seconds."""
        return self.window_samples / self.sample_rate

    @property
    def hop_samples(self) -> int:
        """The number of samples between the begins of two frames."""
        return round(self.hop * self.sample_rate)

    @property
    def size(self) -> int:
        """The number of features of a frame."""
        return self.mel_bins

    @property
    def spectrogram(self) -> LogMel:
        """The settings of the spectrogram in plots."""
        return self

    @property
    def overlap_samples(self) -> int:
        """The number of samples that two adjacent frames share."""
        return self.window_samples - self.hop_samples

    @property
    def fft_length(self) -> int:
        """The number of samples in a frame, rounded up to a power of two."""
        return 1 << (self.window_samples - 1).bit_length()

    def frames(self, samples: int) -> int:
        """Return the number of frames of a waveform with this number of samples."""
        return 1 + (samples - self.window_samples) // self.hop_samples

    def __call__(self, waveform: KerasTensor, lengths: KerasTensor) -> tuple:
        """Return the features of a batch of waveforms.

            power = |DFT(hann * frame)|^2 . filters   a convolution with fixed kernels
            mel   = ln(power + 1e-6), or ln(power / loudness + floor)   see `dynamic_range`
            x     = (mel - mean) / (deviation + 0.1)                    see `normalization`

        Args:
            waveform: float32 [batch, samples].
            lengths: int32 [batch], number of samples of each row.

        Returns:
            The outputs of the layers `features` and `frames`: float32 [batch, frames, mel_bins], 0 in
            padded frames, and int32 [batch], number of frames of each row.
        """
        from keras import layers, ops

        if self.dynamic_range is not None and self.normalization != "running":
            waveform = without_offset(waveform, lengths)
        power = self.mel_power(waveform, new_layer)
        frames = (lengths - self.window_samples) // self.hop_samples + 1
        frames = ops.maximum(frames, 0)  # a silent recording has length 0
        inside = frame_mask(power, frames)
        weight = ops.expand_dims(ops.cast(inside, "float32"), -1)
        if self.normalization == "running":
            initial = {spec.name: float(spec.initial) for spec in self.states}
            normal = self.normalize_running(power, initial)[0]
        else:
            mel, counted = self._log(power, weight)
            normal = _NORMALIZERS[self.normalization](mel, counted)
        normal = normal * weight
        features = layers.Identity(dtype="float32", name="features")(normal)
        return features, layers.Identity(dtype="int32", name="frames")(frames)

    @property
    def states(self) -> tuple[StateSpec, ...]:
        """The states of "running" normalization between parts of a recording."""
        if self.dynamic_range is not None:
            return loudness_states(self.mel_bins)
        return running_states(self.mel_bins, self.prior_frames)

    def normalize_running(
        self, power: KerasTensor, states: Mapping[str, KerasTensor | float]
    ) -> tuple[KerasTensor, dict[str, KerasTensor]]:
        """Return the features of the next frames of a recording, and the states after them.

        Args:
            power: result of `mel_power`.
            states: the states before the frames by name, or their initial values.

        Returns:
            The features, float32 [batch, frames, mel_bins], and the next states.
        """
        from keras import ops

        if self.dynamic_range is None:
            return normalize_running(ops.log(power + POWER_FLOOR), states)
        return normalize_by_loudness(power, states, self.dynamic_range, self.prior_frames)

    def _log(self, power: KerasTensor, weight: KerasTensor) -> tuple[KerasTensor, KerasTensor]:
        """Return log-mel features, and the weight of each frame in their mean and deviation."""
        from keras import ops

        if self.dynamic_range is None:
            return ops.log(power + POWER_FLOOR), weight
        loudness = recording_loudness(power, weight)
        mel = relative_log(power, loudness, self.dynamic_range)
        return mel, weight * is_sound(power, loudness, self.dynamic_range)

    def mel_power(self, waveform: KerasTensor, make: MakeLayer) -> KerasTensor:
        """Return the power of each frame in each mel filter.

        Args:
            waveform: float32 [batch, samples].
            make: makes the layers `dft` and `mel_filters`.

        Returns:
            float32 [batch, frames, mel_bins].
        """
        from keras import layers, ops

        bins = self.fft_length // 2 + 1
        # In float32: half precision does not cover the range of a power spectrum.
        dft = make(
            layers.Conv1D,
            2 * bins,
            self.window_samples,
            strides=self.hop_samples,
            use_bias=False,
            trainable=False,
            dtype="float32",
            name="dft",
        )
        filters = make(
            layers.Dense,
            self.mel_bins,
            use_bias=False,
            trainable=False,
            dtype="float32",
            name="mel_filters",
        )
        spectrum = ops.square(dft(ops.expand_dims(waveform, -1)))
        power = spectrum[:, :, :bins] + spectrum[:, :, bins:]
        mel = filters(power)
        self.set_weights(dft, filters)
        return mel

    def set_weights(self, dft: keras.Layer, filters: keras.Layer) -> None:
        """Set the fixed weights of the layers `dft` and `mel_filters`."""
        dft.set_weights([self.dft_kernel()])
        filters.set_weights([self.mel_matrix()])

    def set_fixed_weights(self, model: keras.Model) -> None:
        """Set the weights of the front end of a model, which are not trained."""
        self.set_weights(model.get_layer("dft"), model.get_layer("mel_filters"))

    def hann(self) -> np.ndarray:
        """Return a periodic Hann window, float64 [window]."""
        n = np.arange(self.window_samples)
        return 0.5 - 0.5 * np.cos(2 * np.pi * n / self.window_samples)

    def dft_kernel(self) -> np.ndarray:
        """Return cosines, then sines, times `hann`: float32 [window, 1, 2 * bins].

        With a `dynamic_range` and "running" normalization, each column has a sum of 0: the offset of a
        recording is only known at its end, so the mean of each frame is subtracted.
        """
        n = np.arange(self.window_samples)
        k = np.arange(self.fft_length // 2 + 1)
        angle = 2 * np.pi * np.outer(n, k) / self.fft_length
        kernel = self.hann()[:, None] * np.concatenate([np.cos(angle), -np.sin(angle)], axis=1)
        if self.dynamic_range is not None and self.normalization == "running":
            kernel -= kernel.mean(axis=0)
        return kernel[:, None, :].astype(np.float32)

    def mel_matrix(self) -> np.ndarray:
        """Return triangular filters, float32 [bins, mel_bins].

        They are spaced evenly in Hz or in HTK mel, 2595 log10(1 + f / 700).
        """

        def to_mel(hz):
            return (
                np.asarray(hz)
                if self.spacing == "hz"
                else 2595.0 * np.log10(1.0 + np.asarray(hz) / 700.0)
            )

        hz = np.linspace(0, self.sample_rate / 2, self.fft_length // 2 + 1)
        edges = np.linspace(to_mel(self.low_hz), to_mel(self.high_hz), self.mel_bins + 2)
        low, centre, high = edges[:-2], edges[1:-1], edges[2:]
        mel = to_mel(hz)[:, None]
        rise, fall = (mel - low) / (centre - low), (high - mel) / (high - centre)
        return np.maximum(0.0, np.minimum(rise, fall)).astype(np.float32)


def _by_utterance(
    mel: KerasTensor,
    weight: KerasTensor,
    pool: Callable[[KerasTensor], KerasTensor] = lambda statistic: statistic,
) -> KerasTensor:
    """Return features normalized over the frames with weight 1.

    Args:
        mel: float32 [batch, frames, mel_bins].
        weight: float32 [batch, frames, 1].
        pool: maps a statistic of each filter [batch, 1, mel_bins] to the one that is used.
    """
    from keras import ops

    count = ops.maximum(ops.sum(weight, axis=1, keepdims=True), 1.0)
    mean = pool(ops.sum(mel * weight, axis=1, keepdims=True) / count)
    centred = (mel - mean) * weight
    variance = pool(ops.sum(ops.square(centred), axis=1, keepdims=True) / count)
    return centred / (ops.sqrt(variance) + DEVIATION_FLOOR)


def _by_level(mel: KerasTensor, weight: KerasTensor) -> KerasTensor:
    """Return features normalized with one mean and one deviation for all filters."""
    from keras import ops

    return _by_utterance(mel, weight, lambda one: ops.mean(one, axis=-1, keepdims=True))


_NORMALIZERS = {"utterance": _by_utterance, "level": _by_level}
