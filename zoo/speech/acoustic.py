"""Acoustic models: the contract between models of recordings and their data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zoo.common.runtime.keras_model import KerasModel
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.raw import RawWaveform

if TYPE_CHECKING:
    import keras

# The last layers of a front end: normalized features float32 [batch, frames, size], and their
# lengths int32 [batch]. They are the inputs of the part that is trained; features may be masked.
FEATURES, FRAMES = "features", "frames"

FrontEnd = LogMel | RawWaveform


@dataclass(frozen=True)
class AcousticModel(KerasModel):
    """Base class of models from waveforms to labels. A subclass adds its config and `build`.

    The model returned by `build` has
        the inputs `waveform` float32 [batch, samples], at `features.sample_rate`, and `lengths` int32
        [batch], the number of samples of each row without padding;
        the layers `features` and `frames`, which `features(waveform, lengths)` makes;
        the outputs `logits` float32 [batch, frames, vocabulary_size], including the blank, and
        `logit_lengths` int32 [batch] for CTC; or only `logits` float32 [batch, num_classes].
    Samples after the length of a row have no effect on its outputs. The config has the size of the
    output as `vocabulary_size` (CTC) or `num_classes`, which the data sets.

    Args:
        features: the front end.
    """

    features: FrontEnd = field(default_factory=LogMel, kw_only=True)

    @property
    def subsampling_factor(self) -> int:
        """The number of feature frames per frame of logits. It may be a field of a subclass."""
        return 1

    def feature_frames(self, samples: int) -> int:
        """Return the number of feature frames of a waveform; 0 or less if it is too short."""
        return self.features.frames(samples)

    def frames(self, samples: int) -> int:
        """Return the number of frames of logits of a waveform; 0 or less if it is too short."""
        return -(-self.features.frames(samples) // self.subsampling_factor)

    @property
    def seconds_per_frame(self) -> float:
        """The time between two frames of logits in seconds; see `zoo.common.tasks.ctc`."""
        return self.features.hop_samples / self.features.sample_rate * self.subsampling_factor

    def take_weights(self, model: keras.Model, other: keras.Model) -> None:
        super().take_weights(model, other)
        self.features.set_fixed_weights(model)

    def front_end(self, model: keras.Model) -> keras.Model:
        """Return the part of `model` from its inputs to the outputs `features` and `frames`."""
        import keras

        outputs = {name: model.get_layer(name).output for name in (FEATURES, FRAMES)}
        return keras.Model(model.input, outputs)

    def training_model(self, model: keras.Model) -> keras.Model:
        """Return the part of `model` that starts at normalized features and their lengths."""
        import keras

        inputs = {name: model.get_layer(name).output for name in (FEATURES, FRAMES)}
        for name, tensor in inputs.items():
            tensor.name = name  # Keras requires that an input has the name of its key
        return keras.Model(inputs, model.output)
