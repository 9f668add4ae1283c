"""The lecture's first example: four letters, and a network that has to remember to spell "hello"."""

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
    """One small LSTM layer spells "hello" with certainty, a letter at a time.

    To see a language model learn in seconds, with nothing to fetch: its corpus is the word itself,
    which travels with the zoo. After "l" comes "l" or "o", so the letter before is not enough: the
    network has to remember.

    It knows the four letters and the line's end, and nothing else. It is measured on the word that it
    was trained on: the figure says that it has learnt by heart, which is all that is asked of it.
    """
    return Recipe(
        name=name,
        data=RunningText(tokenization="character", time_steps=12),
        model=LSTMLanguageModel(
            vocabulary_size=5, embedding_size=8, hidden_size=32, layers=1, tied=False
        ),
        task=LanguageModelling(metric="nats_per_char"),
        decoder=Generation(length=6),
        optimizer=AdamW(learning_rate=2e-2, warmup_epochs=0.5),
        training=GradientDescent(epochs=10, batch_size=1),
    )
