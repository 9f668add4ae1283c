"""Residual blocks of recurrent layers that classify a recording by its samples.

Orvieto et al., "Resurrecting recurrent neural networks for long sequences" (2023), with pooling between
blocks as in Goel et al., "It's raw! Audio generation with state-space models" (2022), section 3.2.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zoo.common.core.errors import ZooError, check_choice, check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.settings import training_only
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import Classes
from zoo.common.layers.masks import frame_mask
from zoo.common.tasks.classification import Classification
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.speech.acoustic import AcousticModel
from zoo.speech.detection.corpora.fsdd import FSDD
from zoo.speech.detection.data import LabelledRecordings
from zoo.speech.features.raw import RawWaveform
from zoo.speech.features.spec_augment import NO_MASKS
from zoo.speech.layers import BLOCKS

if TYPE_CHECKING:
    import keras

CELLS = {**BLOCKS, "lstm": "LSTM"}

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RawBlocks(AcousticModel):
    """Config of the model.

    Args:
        num_classes: number of units of the last layer.
        cell: recurrent layer of the blocks: "mingru", "rglru", "lru" or "lstm".
        sizes: number of features of each block, and of units of its recurrent layer.
        pools: number of time steps that are averaged after each block except the last. Their product
            must divide `features.hop_samples`.
        dropout: dropout rate of the terms of each block, and of the inputs of the last layer.
        features: the samples.
    """

    num_classes: int
    cell: str = "lru"
    sizes: tuple[int, ...] = (48, 96, 128)
    pools: tuple[int, ...] = (5, 4)
    dropout: float = training_only(0.2)
    features: RawWaveform = field(default_factory=RawWaveform, kw_only=True)

    def __post_init__(self):
        check_choice("model.cell", self.cell, CELLS)
        check_range("model.num_classes", self.num_classes, at_least=2)
        for name in ("sizes", "pools"):
            for value in getattr(self, name):
                check_range(f"model.{name}", value, at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)
        if len(self.pools) != len(self.sizes) - 1:
            raise ZooError(
                "model.pools must have one number less than model.sizes. "
                f"Received: {self.pools} and {self.sizes}."
            )
        if self.features.hop_samples % self.pooled:
            raise ZooError(
                "The product of model.pools must divide model.features.hop_samples. "
                f"Received: {self.pooled} and {self.features.hop_samples}."
            )

    @property
    def pooled(self) -> int:
        """The number of samples for each time step of the last block."""
        product = 1
        for pool in self.pools:
            product *= pool
        return product

    def build(self) -> keras.Model:
        return build_raw_blocks(self)


# Functional model ---------------------------------------------------------------------------------


def build_raw_blocks(config: RawBlocks) -> keras.Model:
    """Return the functional model, from waveforms to logits.

        h_0      = W_0 sample, for each sample
        h_i      = block_i(W_i mean of h_{i-1} over `pools[i - 1]` steps)
        logits   = W norm(mean of h_n over time) + b

    Args:
        config: config of the model.

    Returns:
        A model with the inputs and outputs of `AcousticModel` for classes.
    """
    import keras
    from keras import layers, ops

    from zoo.common.layers import recurrent

    waveform = keras.Input((None,), name="waveform", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    x, frames = config.features(waveform, lengths)
    x = layers.Reshape((-1, 1), name="samples")(x)
    steps = frames * config.features.hop_samples
    layer = getattr(recurrent, CELLS[config.cell])
    for i, size in enumerate(config.sizes):
        inside = frame_mask(x, steps)
        weight = ops.expand_dims(ops.cast(inside, "float32"), -1)
        x = layers.Dense(size, name=f"embedding{i}")(x)
        x = recurrent.RecurrentBlock(layer(size), dropout=config.dropout, name=f"block{i}")(
            x, mask=inside
        )
        if i < len(config.pools):
            pool = config.pools[i]
            x = layers.AveragePooling1D(pool, name=f"pool{i}")(x * ops.cast(weight, x.dtype))
            steps = steps // pool
    x = ops.cast(layers.LayerNormalization(name="norm")(x), "float32")
    x = ops.sum(x * weight, axis=1) / ops.maximum(ops.sum(weight, axis=1), 1.0)
    x = layers.Dropout(config.dropout, name="dropout_top")(x)
    logits = layers.Dense(config.num_classes, dtype="float32", name="logits")(x)
    inputs = {"waveform": waveform, "lengths": lengths}
    return keras.Model(inputs, {"logits": logits}, name="raw_blocks")


# Recipes ------------------------------------------------------------------------------------------


@register("speech/lru-fsdd-raw", paper="Orvieto et al. 2023", corpus=FSDD, metric="accuracy")
def lru_fsdd_raw(name: str) -> Recipe:
    """Linear recurrent units recognize a spoken digit by the samples of its waveform.

    For one English digit in a recording, by a known speaker over a close microphone. It has no
    spectrogram: the first block reads thousands of samples, one at a time. `speech/bilstm-fsdd` and
    `speech/tdnn-wide-fsdd` read spectrograms, and are faster.

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
            spec_augment=NO_MASKS,
        ),
        model=RawBlocks(num_classes=10),
        task=Classification(background="none"),
        decoder=Classes(),
        optimizer=AdamW(learning_rate=3e-3, warmup_epochs=1, weight_decay=1e-2),
        training=GradientDescent(epochs=24, batch_size=32, patience=24),
    )
