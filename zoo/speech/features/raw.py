"""Normalized samples of waveforms, for models that learn from the waveform itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.core.errors import check_range
from zoo.common.layers.masks import frame_mask
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.loudness import without_offset

if TYPE_CHECKING:
    import keras
    from keras import KerasTensor

# Added to the deviation, so that silence stays small.
DEVIATION_FLOOR = 1e-4


@dataclass(frozen=True)
class RawWaveform:
    """Samples with mean 0 and deviation 1 in each recording, in frames without overlap.

    Frames group the samples only for batches; a model may read sample by sample. Samples after the last
    whole frame are dropped.

    Args:
        sample_rate: sample rate in Hz.
        hop_samples: number of samples in a frame.
    """

    sample_rate: int = 8_000
    hop_samples: int = 40

    def __post_init__(self):
        check_range("model.features.sample_rate", self.sample_rate, at_least=1_000, at_most=200_000)
        check_range("model.features.hop_samples", self.hop_samples, at_least=1, at_most=4_096)

    @property
    def size(self) -> int:
        """The number of features of a frame."""
        return self.hop_samples

    @property
    def normalization(self) -> str:
        """The normalization, with the name that it has in `LogMel`."""
        return "level"

    @property
    def window_samples(self) -> int:
        """The minimum length of a waveform: a frame, and a window of the spectrogram in plots."""
        return max(self.hop_samples, self.spectrogram.window_samples)

    @property
    def min_seconds(self) -> float:
        """The minimum duration of a waveform in seconds."""
        return self.window_samples / self.sample_rate

    @property
    def spectrogram(self) -> LogMel:
        """The settings of the spectrogram in plots."""
        return LogMel(sample_rate=self.sample_rate, high_hz=self.sample_rate / 2, mel_bins=40)

    def frames(self, samples: int) -> int:
        """Return the number of frames of a waveform with this number of samples."""
        return samples // self.hop_samples

    def __call__(self, waveform: KerasTensor, lengths: KerasTensor) -> tuple:
        """Return the samples of a batch of waveforms in frames.

            x = (waveform - mean) / (deviation + 0.0001)    over the samples of each recording

        Args:
            waveform: float32 [batch, samples].
            lengths: int32 [batch], number of samples of each row.

        Returns:
            The outputs of the layers `features` and `frames`: float32 [batch, frames, hop_samples], 0 in
            padded frames, and int32 [batch], number of frames of each row.
        """
        from keras import layers, ops

        waveform = without_offset(waveform, lengths)
        count = ops.expand_dims(ops.cast(ops.maximum(lengths, 1), "float32"), 1)
        inside = ops.cast(frame_mask(ops.expand_dims(waveform, -1), lengths), "float32")
        power = ops.sum(ops.square(waveform * inside), axis=1, keepdims=True) / count
        waveform = waveform / (ops.sqrt(power) + DEVIATION_FLOOR)
        # A convolution with the identity as its kernel, which every runtime has.
        framing = layers.Conv1D(
            self.hop_samples,
            self.hop_samples,
            strides=self.hop_samples,
            use_bias=False,
            trainable=False,
            dtype="float32",
            name="framing",
        )
        x = framing(ops.expand_dims(waveform * inside, -1))
        framing.set_weights([self._identity()])
        frames = lengths // self.hop_samples
        x = x * ops.cast(ops.expand_dims(frame_mask(x, frames), -1), "float32")
        features = layers.Identity(dtype="float32", name="features")(x)
        return features, layers.Identity(dtype="int32", name="frames")(frames)

    def set_fixed_weights(self, model: keras.Model) -> None:
        """Set the weights of the front end of a model, which are not trained."""
        model.get_layer("framing").set_weights([self._identity()])

    def _identity(self) -> np.ndarray:
        return np.eye(self.hop_samples, dtype=np.float32)[:, None, :]
