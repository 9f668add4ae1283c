"""A stack of bidirectional LSTM or GRU layers over log-mel features, with CTC on top.

Deep bidirectional recurrent networks with CTC: Graves, Mohamed & Hinton, "Speech recognition with
deep recurrent neural networks" (2013); convolutions that shorten time below them: Amodei et al.,
"Deep Speech 2" (2016), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from zoo.common.errors import ZooError
from zoo.common.recipe import ModelConfig, OptimizerConfig, Recipe, TrainingConfig
from zoo.common.registry import register
from zoo.speech.corpora import AN4, LIBRISPEECH_MINI
from zoo.speech.frontend import LogMel, frame_mask
from zoo.speech.task import SpecAugment, SpeechCTC

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class BiRNNCTC(ModelConfig):
    """Arguments of the stack.

    symbols: int. Size of the output, the blank included.
    cell: str. "lstm" or "gru".
    layers: int. Bidirectional layers, one upon another.
    hidden_size: int. Units of each direction.
    conv_filters: int. Channels of the two convolutions below the stack.
    time_reduction: int. Feature frames for each frame of the stack and of the logits.
    dropout: float. Share of the inputs of each layer that is dropped in training.
    """

    symbols: int
    cell: str = "lstm"
    layers: int = 3
    hidden_size: int = 256
    conv_filters: int = 32
    time_reduction: int = 3
    dropout: float = 0.3
    features: LogMel = field(default_factory=LogMel)

    def __post_init__(self):
        if self.cell not in ("lstm", "gru"):
            raise ZooError(f"model.cell is 'lstm' or 'gru'. Received: {self.cell!r}.")
        for name in ("layers", "hidden_size", "conv_filters", "time_reduction"):
            if getattr(self, name) < 1:
                raise ZooError(f"model.{name} is at least 1. Received: {getattr(self, name)}.")
        if self.symbols < 2:
            raise ZooError(f"model.symbols counts the blank and more. Received: {self.symbols}.")
        if not 0 <= self.dropout < 1:
            raise ZooError(f"model.dropout lies in [0, 1). Received: {self.dropout}.")

    def build(self) -> keras.Model:
        """See `build_birnn_ctc`."""
        return build_birnn_ctc(self)

    def frames(self, samples: int) -> int:
        """Frames of logits for a waveform of so many samples."""
        return -(-self.features.frames(samples) // self.time_reduction)


# Functional model ---------------------------------------------------------------------------------


def build_birnn_ctc(config: BiRNNCTC) -> keras.Model:
    """The functional model, waveform in and logits out.

    Inputs: `waveform` float32 [batch, samples] at the config's sample rate, and `lengths` int32
    [batch], the samples of each before padding.
    Outputs: `logits` float32 [batch, frames, symbols], unnormalised, and `logit_lengths` int32
    [batch]. What stands beyond an utterance's length in a batch has no effect within it.
    """
    import keras
    from keras import layers, ops

    from zoo.common import recurrent

    waveform = keras.Input((None,), name="waveform", dtype="float32")
    lengths = keras.Input((), name="lengths", dtype="int32")
    features, frames = config.features(waveform, lengths)

    x = ops.expand_dims(features, -1)
    # Padded by hand: where "same" padding starts would depend on the length of the whole batch.
    reduction = config.time_reduction
    frames = (frames - 1) // reduction + 1
    for i, (kernel, stride) in enumerate([(2 * reduction - 1, reduction), (3, 1)]):
        margin = (kernel - 1) // 2
        x = layers.ZeroPadding2D(((margin, margin), (1, 1)), name=f"conv{i}_pad")(x)
        x = layers.Conv2D(
            config.conv_filters,
            (kernel, 3),
            strides=(stride, 2),
            activation="relu",
            name=f"conv{i}",
        )(x)
        inside = frame_mask(x[:, :, 0], frames)
        x = x * ops.cast(ops.expand_dims(inside, (-1, -2)), x.dtype)
    x = layers.Reshape((-1, x.shape[2] * x.shape[3]), name="stack_channels")(x)

    Layer = {"lstm": recurrent.LSTM, "gru": recurrent.GRU}[config.cell]
    for i in range(config.layers):
        x = layers.LayerNormalization(name=f"norm{i}")(x)
        x = layers.Dropout(config.dropout, name=f"dropout{i}")(x)
        x = recurrent.Bidirectional(
            Layer(config.hidden_size, return_sequences=True), name=f"{config.cell}{i}"
        )(x, mask=inside)
    x = layers.Dropout(config.dropout, name="dropout_top")(x)
    logits = layers.Dense(config.symbols, dtype="float32", name="logits")(x)
    outputs = {"logits": logits, "logit_lengths": layers.Identity(name="logit_lengths")(frames)}
    return keras.Model({"waveform": waveform, "lengths": lengths}, outputs, name="birnn_ctc")


# Recipes ------------------------------------------------------------------------------------------

PAPER = "Graves, Mohamed & Hinton 2013; Amodei et al. 2016, section 3"


@register(
    "speech/bilstm-ctc-an4",
    paper=PAPER,
    corpus=AN4,
    metric="wer",
)
def bilstm_ctc_an4(name: str) -> Recipe:
    """Three bidirectional LSTM layers hear spelled names, numbers and control words.

    For short English utterances over a close microphone: letters, digits and numbers, dates, and the
    eleven control words of AN4 such as ENTER, ERASE and RUBOUT. A starting point (`--init`) for a small
    vocabulary of one's own.

    It knows no other words: it spells what it hears with the letters it learnt, which outside AN4's
    vocabulary is seldom a word. There is no language model in it. The speakers are about eighty adults
    recorded in Pittsburgh in 1991; other accents, children, far microphones and noise were not measured.
    """
    return Recipe(
        name=name,
        model=BiRNNCTC(symbols=28),
        task=SpeechCTC(
            alphabet=" ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            beam_width=32,
            speeds=(0.9, 1.0, 1.1),
            spec_augment=SpecAugment(freq_width=18, time_width=16),
        ),
        optimizer=OptimizerConfig(learning_rate=1.5e-3, warmup_epochs=3, weight_decay=1e-2),
        training=TrainingConfig(epochs=70, batch_size=16, patience=70),
    )


@register(
    "speech/bilstm-ctc-librispeech-mini",
    paper=PAPER,
    corpus=LIBRISPEECH_MINI,
    metric="wer",
)
def bilstm_ctc_librispeech_mini(name: str) -> Recipe:
    """Three bidirectional LSTM layers on five hours of read English, in LibriSpeech's layout."""
    return Recipe(
        name=name,
        model=BiRNNCTC(symbols=29),
        task=SpeechCTC(
            alphabet=" 'ABCDEFGHIJKLMNOPQRSTUVWXYZ",
            speeds=(0.9, 1.0, 1.1),
            spec_augment=SpecAugment(freq_width=18, time_width=40),
        ),
        optimizer=OptimizerConfig(learning_rate=1e-3, warmup_epochs=2, weight_decay=1e-2),
        training=TrainingConfig(epochs=60, batch_size=16, patience=60),
    )
