"""A stack of bidirectional recurrent layers over log-mel features, with CTC on top.

Deep bidirectional recurrent networks with CTC: Graves, Mohamed & Hinton, "Speech recognition with
deep recurrent neural networks" (2013); convolutions with strides below them: Amodei et al., "Deep
Speech 2" (2016), section 3. Minimal gated recurrent units: Feng et al., "Were RNNs all we needed?"
(2024).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_choice, check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.settings import training_only
from zoo.common.data.labels import Labels
from zoo.common.decoding.decoders import CTCSearch
from zoo.common.layers.masks import frame_mask
from zoo.common.tasks.ctc import CTC
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.speech.acoustic import AcousticModel
from zoo.speech.features.spec_augment import SpecAugment
from zoo.speech.layers import BLOCKS, RECURRENCES, birnn_stack, block_stack, ctc_outputs, pad_odd
from zoo.speech.recognition.corpora.an4 import AN4, AN4_LETTERS, AN4_PUBLISHED
from zoo.speech.recognition.data import TranscribedRecordings

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BiRNNCTC(AcousticModel):
    """Config of the model.

    Args:
        vocabulary_size: size of the output, including the blank.
        cell: "lstm" or "gru"; or "mingru", "rglru" or "lru", each in a `RecurrentBlock`.
        layers: number of bidirectional layers or blocks.
        hidden_size: number of units of each direction, and of features of a block.
        conv_filters: number of filters of each of the two convolutions.
        subsampling_factor: number of feature frames per frame of the stack and of the logits.
        dropout: dropout rate of the inputs of each layer.
        features: as in `AcousticModel`.
    """

    vocabulary_size: int
    cell: str = "lstm"
    layers: int = 3
    hidden_size: int = 256
    conv_filters: int = 32
    subsampling_factor: int = 3
    dropout: float = training_only(0.3)

    def __post_init__(self):
        check_choice("model.cell", self.cell, (*RECURRENCES, *BLOCKS))
        for name in ("layers", "hidden_size", "conv_filters", "subsampling_factor"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.vocabulary_size", self.vocabulary_size, at_least=2)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        return build_birnn_ctc(self)


# Functional model ---------------------------------------------------------------------------------


def build_birnn_ctc(config: BiRNNCTC) -> keras.Model:
    """Return the functional model, from waveforms to logits.

    Args:
        config: config of the model.

    Returns:
        A model with the inputs and outputs of `AcousticModel` for CTC.
    """
    import keras
    from keras import layers, ops

    waveform = keras.Input((None,), name="waveform", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    features, frames = config.features(waveform, lengths)

    x = ops.expand_dims(features, -1)
    factor = config.subsampling_factor
    frames = (frames - 1) // factor + 1
    for i, (kernel, strides) in enumerate([((2 * factor - 1, 3), (factor, 2)), ((3, 3), (1, 2))]):
        x = pad_odd(x, kernel, f"conv{i}_pad")
        x = layers.Conv2D(
            config.conv_filters,
            kernel,
            strides=strides,
            activation="relu",
            name=f"conv{i}",
        )(x)
        inside = frame_mask(x[:, :, 0], frames)
        x = x * ops.cast(ops.expand_dims(inside, (-1, -2)), x.dtype)
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name="stack_channels")(x)

    stack = block_stack if config.cell in BLOCKS else birnn_stack
    x = stack(x, inside, config.cell, config.layers, config.hidden_size, config.dropout)
    outputs = ctc_outputs(x, frames, config.vocabulary_size)
    return keras.Model({"waveform": waveform, "lengths": lengths}, outputs, name="birnn_ctc")


# Recipes ------------------------------------------------------------------------------------------

PAPER = "Graves, Mohamed & Hinton 2013; Amodei et al. 2016, section 3"


def an4_recipe(name: str, model: BiRNNCTC) -> Recipe:
    """Return a recipe of a model for AN4."""
    return Recipe(
        name=name,
        data=TranscribedRecordings(
            labels=Labels(AN4_LETTERS),
            speed_perturbation=(0.9, 1.0, 1.1),
            # Narrower than the paper's 27 bins and 100 frames: AN4's clips are short.
            spec_augment=SpecAugment(freq_width=18, time_width=16),
        ),
        model=model,
        task=CTC(),
        decoder=CTCSearch(beam_width=32),
        optimizer=AdamW(learning_rate=1.5e-3, warmup_epochs=3, weight_decay=1e-2),
        training=GradientDescent(epochs=70, batch_size=16, patience=70),
    )


@register(
    "speech/bilstm-ctc-an4",
    paper=PAPER,
    corpus=AN4,
    metric="wer",
    published=AN4_PUBLISHED,
)
def bilstm_ctc_an4(name: str) -> Recipe:
    """Three bidirectional LSTM layers recognize spelled names, numbers and control words.

    For short English utterances over a close microphone: letters, digits and numbers, dates, and the
    eleven control words of AN4 such as ENTER, ERASE and RUBOUT. A starting point (`--init`) for a small
    vocabulary of your own.

    It does not know other words: it spells words outside AN4's vocabulary letter by letter, mostly
    wrong. It contains no language model. The speakers are about eighty adults recorded in Pittsburgh in
    1991; other accents, children, distant microphones and noise were not measured.

    Silence before and after the speech is trimmed: digital silence of at least 0.1 s, low noise of at
    least 0.45 s. A silent recording has no text.
    """
    return an4_recipe(name, BiRNNCTC(vocabulary_size=28))


@register("speech/mingru-ctc-an4", paper="Feng et al. 2024", corpus=AN4, metric="wer")
def mingru_ctc_an4(name: str) -> Recipe:
    """Blocks of bidirectional minimal GRUs recognize spelled names, numbers and control words.

    It has as many weights as `speech/bilstm-ctc-an4`, with which it is compared. Its gates do not depend
    on the state, so that all frames are computed in parallel.

    It spells words outside AN4's vocabulary letter by letter, mostly wrong, and contains no language
    model. The speakers are about eighty adults recorded in Pittsburgh in 1991; other accents, children,
    distant microphones and noise were not measured.
    """
    return an4_recipe(name, BiRNNCTC(vocabulary_size=28, cell="mingru", layers=4, hidden_size=316))
