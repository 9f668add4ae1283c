"""A bidirectional LSTM that classifies a recording: many to one.

Graves & Schmidhuber, "Framewise phoneme classification with bidirectional LSTM and other neural network
architectures" (2005), with one target for the whole sequence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_choice, check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.settings import training_only
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import Classes
from zoo.common.layers.masks import frame_mask
from zoo.common.layers.pooling import mean_and_maximum
from zoo.common.tasks.classification import Classification
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.speech.acoustic import AcousticModel
from zoo.speech.detection.corpora.fsdd import FSDD
from zoo.speech.detection.data import LabelledRecordings
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.spec_augment import SpecAugment

if TYPE_CHECKING:
    import keras

POOLINGS = ("ends", "mean_maximum")

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BiLSTMClassifier(AcousticModel):
    """Config of the model.

    Args:
        num_classes: number of units of the last layer.
        layers: number of bidirectional layers.
        hidden_size: number of units of each direction.
        dropout: dropout rate of the inputs of each layer above the first.
        pooling: "ends", the output of each direction after it has read the whole recording; or
            "mean_maximum", the mean and the maximum of the outputs over time.
        features: as in `AcousticModel`.
    """

    num_classes: int
    layers: int = 2
    hidden_size: int = 64
    dropout: float = training_only(0.3)
    pooling: str = "ends"

    def __post_init__(self):
        check_range("model.num_classes", self.num_classes, at_least=2)
        for name in ("layers", "hidden_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)
        check_choice("model.pooling", self.pooling, POOLINGS)

    def build(self) -> keras.Model:
        return build_bilstm_classifier(self)


# Functional model ---------------------------------------------------------------------------------


def build_bilstm_classifier(config: BiLSTMClassifier) -> keras.Model:
    """Return the functional model, from waveforms to logits.

        h_0      = the features
        h_i      = BiLSTM_i(h_{i-1}), for each layer
        logits   = W [forward h_n at the last frame; backward h_n at the first frame] + b    "ends"
                   W [mean of h_n over time; maximum of h_n over time] + b    "mean_maximum"

    Args:
        config: config of the model.

    Returns:
        A model with the inputs and outputs of `AcousticModel` for classes.
    """
    import keras
    from keras import layers

    from zoo.common.layers import recurrent

    waveform = keras.Input((None,), name="waveform", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    x, frames = config.features(waveform, lengths)
    inside = frame_mask(x, frames)
    for i in range(config.layers):
        if i:
            x = layers.Dropout(config.dropout, name=f"dropout{i}")(x)
        sequences = config.pooling != "ends" or i < config.layers - 1
        lstm = recurrent.LSTM(config.hidden_size, return_sequences=sequences)
        x = recurrent.Bidirectional(lstm, name=f"lstm{i}")(x, mask=inside)
    if config.pooling == "mean_maximum":
        x = mean_and_maximum(x, inside)
    x = layers.Dropout(config.dropout, name="dropout_top")(x)
    logits = layers.Dense(config.num_classes, dtype="float32", name="logits")(x)
    inputs = {"waveform": waveform, "lengths": lengths}
    return keras.Model(inputs, {"logits": logits}, name="bilstm_classifier")


# Recipes ------------------------------------------------------------------------------------------


@register("speech/bilstm-fsdd", paper="Graves & Schmidhuber 2005", corpus=FSDD, metric="accuracy")
def bilstm_fsdd(name: str) -> Recipe:
    """A bidirectional LSTM reads a recording in both directions and recognizes the digit in it.

    For one English digit in a recording, by a known speaker over a close microphone. It is an example of
    many-to-one classification; `speech/tdnn-fsdd` does the same with far fewer weights.

    The six speakers of the test split are those of the training split: other voices were not measured
    there. Sounds that are not digits are classified as digits.
    """
    return Recipe(
        name=name,
        # All speakers of the test split are in train, so dev is split off by utterance.
        data=LabelledRecordings(
            labels=Labels(tuple("0123456789"), "class"),
            split_by="utterance",
            speed_perturbation=(0.85, 0.92, 1.0, 1.08, 1.15),
            spec_augment=SpecAugment(freq_masks=2, freq_width=6, time_masks=1, time_width=10),
        ),
        model=BiLSTMClassifier(
            num_classes=10,
            dropout=0.4,
            pooling="mean_maximum",
            features=LogMel(sample_rate=8000, mel_bins=40, high_hz=3800.0, normalization="level"),
        ),
        task=Classification(background="none"),
        decoder=Classes(),
        optimizer=AdamW(learning_rate=3e-3, warmup_epochs=2, weight_decay=1e-2),
        training=GradientDescent(epochs=24, batch_size=32, patience=24),
    )
