"""Deep Speech: five layers of clipped rectified units, one of them recurrent, with CTC on top.

Hannun et al., "Deep Speech: scaling up end-to-end speech recognition" (2014).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
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
from zoo.speech.features.frontend import LogMel
from zoo.speech.features.spec_augment import SpecAugment
from zoo.speech.layers import ctc_outputs
from zoo.speech.recognition.corpora.an4 import AN4, AN4_LETTERS, AN4_PUBLISHED
from zoo.speech.recognition.data import TranscribedRecordings

if TYPE_CHECKING:
    import keras

# The units are clipped at 20. Keras has a rectifier that is clipped at 6, which is the same for scaled
# inputs and outputs: min(max(0, x), 20) = relu6(SCALE x) / SCALE.
CLIP = 20.0
SCALE = 6.0 / CLIP

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class DeepSpeech(AcousticModel):
    """Config of the model.

    Args:
        vocabulary_size: size of the output, including the blank.
        context: number of frames on each side of a frame in the first layer; 5, 7 or 9 in the paper.
        subsampling_factor: number of feature frames per time step; 2 in section 3.3 of the paper.
        hidden_size: number of units of each hidden layer; 2048 in the paper.
        dropout: dropout rate of the outputs of the layers that are not recurrent.
        features: as in `AcousticModel`.
    """

    vocabulary_size: int
    context: int = 7
    subsampling_factor: int = 2
    hidden_size: int = 2048
    dropout: float = training_only(0.05)

    def __post_init__(self):
        check_range("model.vocabulary_size", self.vocabulary_size, at_least=2)
        check_range("model.context", self.context, at_least=0)
        for name in ("subsampling_factor", "hidden_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        return build_deepspeech(self)


# Functional model ---------------------------------------------------------------------------------


def build_deepspeech(config: DeepSpeech) -> keras.Model:
    """Return the functional model, from waveforms to logits.

        g(x)     = min(max(0, x), 20)
        h_1[t]   = g(W_1 x[t - C .. t + C] + b_1)      x: features, 0 outside; C: context
        h_2[t]   = g(W_2 h_1[t] + b_2)
        h_3[t]   = g(W_3 h_2[t] + b_3)
        h_f[t]   = g(W_4 h_3[t] + b_4 + R_f h_f[t-1])
        h_b[t]   = g(W_4 h_3[t] + b_4 + R_b h_b[t+1])
        h_5[t]   = g(W_5 (h_f[t] + h_b[t]) + b_5)
        logits   = W_6 h_5[t] + b_6

    Both directions have the same W_4 and b_4; the weights of `dense4` are W_4 and b_4 times SCALE, for
    `relu6`. The input kernel of the recurrent layers is the identity and is not trained.

    Args:
        config: config of the model.

    Returns:
        A model with the inputs and outputs of `AcousticModel` for CTC.
    """
    import keras
    from keras import layers, ops

    from zoo.common.layers import recurrent

    waveform = keras.Input((None,), name="waveform", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    x, frames = config.features(waveform, lengths)
    frames = (frames - 1) // config.subsampling_factor + 1

    def hidden(x, layer, number):
        x = ops.minimum(ops.relu(layer(x)), CLIP)
        return layers.Dropout(config.dropout, name=f"dropout{number}")(x)

    # A dense layer over a moving window is a convolution.
    x = layers.ZeroPadding1D((config.context, config.context), name="context")(x)
    window, step = 2 * config.context + 1, config.subsampling_factor
    x = hidden(x, layers.Conv1D(config.hidden_size, window, strides=step, name="dense1"), 1)
    for number in (2, 3):
        x = hidden(x, layers.Dense(config.hidden_size, name=f"dense{number}"), number)
    x = layers.Dense(config.hidden_size, name="dense4")(x)
    both = recurrent.Bidirectional(
        recurrent.SimpleRNN(
            config.hidden_size,
            activation="relu6",
            use_bias=False,
            kernel_initializer="identity",
            return_sequences=True,
        ),
        merge_mode="sum",
        name="recurrent",
    )
    x = both(x, mask=frame_mask(x, frames)) * (1 / SCALE)
    for direction in (both.forward_layer, both.backward_layer):
        direction.cell.kernel.trainable = False
    x = hidden(x, layers.Dense(config.hidden_size, name="dense5"), 5)
    outputs = ctc_outputs(x, frames, config.vocabulary_size)
    return keras.Model({"waveform": waveform, "lengths": lengths}, outputs, name="deepspeech")


# Recipes ------------------------------------------------------------------------------------------


@register(
    "speech/deepspeech-an4",
    paper="Hannun et al. 2014",
    corpus=AN4,
    metric="wer",
    published=AN4_PUBLISHED,
)
def deepspeech_an4(name: str) -> Recipe:
    """Deep Speech as published, with fewer units, recognizes spelled names, numbers and control words.

    For short English utterances over a close microphone, to show the results of a network without gates:
    `speech/bilstm-ctc-an4` makes fewer errors. The published front end has an energy in addition to its
    80 linear filters, which is left out here; the optimizer is AdamW, and there is no jitter at test
    time.

    It does not know words other than AN4's letters, digits, numbers, dates and eleven control words. The
    speakers are about eighty adults recorded in Pittsburgh in 1991; other accents, children, distant
    microphones and noise were not measured. On the CPU its recurrence runs in Keras's loop; ONNX runs it
    as one RNN with its clip, LiteRT as a loop.
    """
    return Recipe(
        name=name,
        data=TranscribedRecordings(
            labels=Labels(AN4_LETTERS),
            speed_perturbation=(0.9, 1.0, 1.1),
            spec_augment=SpecAugment(freq_width=10, time_width=16),
        ),
        model=DeepSpeech(
            vocabulary_size=28,
            hidden_size=384,
            dropout=0.1,
            features=LogMel(window=0.020, spacing="hz"),
        ),
        task=CTC(),
        decoder=CTCSearch(),
        optimizer=AdamW(learning_rate=7e-4, warmup_epochs=2, weight_decay=1e-2),
        training=GradientDescent(epochs=40, batch_size=16, patience=40),
    )
