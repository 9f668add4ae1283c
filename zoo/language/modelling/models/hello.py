"""The example "hello": a network learns to spell a word of four different letters."""

from __future__ import annotations

from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.decoding.decoders import Generation
from zoo.common.tasks.language_modelling import LanguageModelling
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.language.modelling.corpora.hello import HELLO
from zoo.language.modelling.data import RunningText
from zoo.language.modelling.models.lstm_lm import LSTMLanguageModel


@register(
    "language/charlstm-hello",
    paper="Elman 1990; Hochreiter & Schmidhuber 1997",
    corpus=HELLO,
    metric="nats_per_char",
)
def charlstm_hello(name: str) -> Recipe:
    """One small LSTM layer learns to spell "hello", letter by letter.

    Use it to watch a language model learn in seconds, without a download: its corpus is the word
    itself, which is part of the package. Both "l" and "o" may follow "l", so the preceding letter is
    not enough: the network must remember earlier ones.

    Its vocabulary is the four letters and the end of the line. It is evaluated on the word that it was
    trained on: the metric measures whether it overfits the word, which is its purpose.
    """
    return Recipe(
        name=name,
        data=RunningText(tokenization="character", time_steps=12),
        model=LSTMLanguageModel(
            vocabulary_size=5, embedding_size=8, hidden_size=32, layers=1, tied=False
        ),
        task=LanguageModelling(monitor="nats_per_char"),
        decoder=Generation(length=6),
        optimizer=AdamW(learning_rate=2e-2, warmup_epochs=0.5),
        training=GradientDescent(epochs=10, batch_size=1),
    )
