"""What a model of recordings is to its data: the contract of every model file in speech."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zoo.common.runtime.keras_model import KerasModel
from zoo.speech.features.frontend import LogMel

if TYPE_CHECKING:
    import keras

# The layers a front end ends in: features float32 [batch, frames, mel_bins], normalised, and their
# lengths int32 [batch]. Training starts there, on features that may be masked.
FEATURES, FRAMES = "features", "frames"


@dataclass(frozen=True)
class AcousticModel(KerasModel):
    """A model from waveforms to labels. A subclass writes its config and `build`.

    What `build` returns has
        the inputs `waveform` float32 [batch, samples], at `features.sample_rate`, and `lengths` int32
        [batch], the samples of each before padding;
        the layers `features` and `frames`, which `features(waveform, lengths)` makes;
        the outputs `logits` float32 [batch, frames, vocabulary_size], the blank included, and
        `logit_lengths` int32 [batch] for CTC; or `logits` float32 [batch, num_classes] alone.
    What stands beyond a recording's length in a batch has no effect on its outputs. The config calls
    the size of the output `vocabulary_size` (CTC) or `num_classes`, which the data sets.

    features: LogMel. The front end.
    subsampling_factor: int. Feature frames for each frame of the logits; a field of a model that has
        more than one.
    """

    # Without a type it is no field: that would stand before a subclass's own.
    subsampling_factor = 1

    features: LogMel = field(default_factory=LogMel, kw_only=True)

    def frames(self, samples: int) -> int:
        """How many frames a waveform of so many samples has for its labels; 0 or less if too few."""
        return -(-self.features.frames(samples) // self.subsampling_factor)

    @property
    def seconds_per_frame(self) -> float:
        """From one frame of logits to the next; see `zoo.common.tasks.ctc`."""
        return self.features.hop_samples / self.features.sample_rate * self.subsampling_factor

    def front_end(self, model: keras.Model) -> keras.Model:
        """Return the part of `model` from its inputs to normalised features."""
        import keras

        return keras.Model(model.input, model.get_layer(FEATURES).output)

    def training_model(self, model: keras.Model) -> keras.Model:
        """See `KerasModel.training_model`: from normalised features and their lengths on."""
        import keras

        inputs = {name: model.get_layer(name).output for name in (FEATURES, FRAMES)}
        for name, tensor in inputs.items():
            tensor.name = name  # Keras wants an input called as its key
        return keras.Model(inputs, model.output)
