"""A network that ranks windows of text: true ones above those whose middle word was exchanged.

Collobert & Weston, "A unified architecture for natural language processing: deep neural networks with
multitask learning" (2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.language.embeddings.corpora.enwiki import ENWIKI
from zoo.language.embeddings.data import EMBED, SCORE, WordWindows
from zoo.language.embeddings.embed import embed_graph
from zoo.language.embeddings.task import Neighbours, Ranking

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RankingNetwork(KerasModel):
    """Arguments of the model.

    vocabulary_size: int. Words it has vectors of.
    context: int. Words around the middle one; half of them stand before it.
    embedding_size: int. Numbers of a vector.
    hidden_size: int. Units of the hidden layer.
    dropout: float. Share of the numbers of the vectors that is 0 in a training step.
    """

    vocabulary_size: int
    context: int = 10
    embedding_size: int = 50
    hidden_size: int = 100
    dropout: float = 0.0

    def __post_init__(self):
        for name in ("vocabulary_size", "context", "embedding_size", "hidden_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        """See `build_ranking`."""
        return build_ranking(self)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """`score`: how well candidates fit a context. `embed`: the vectors of words."""
        return {SCORE: model, EMBED: embed_graph(model)}


# Functional model ---------------------------------------------------------------------------------


def build_ranking(config: RankingNetwork) -> keras.Model:
    """Build the functional model, a window and candidates for its middle in, scores out.

    s = u . tanh(W x + b)

    x are the vectors of the window's words, one after the other. W is kept in two parts, one for the
    words around and one for the middle word, so that the first is multiplied once for all candidates.

    Args:
        config: its arguments.

    Returns:
        A model with the inputs `context` int32 [batch, context], the words around in order, and
        `candidates` int32 [batch, n] for the middle. Its output is `scores` float32 [batch, n].
    """
    import keras
    from keras import layers, ops

    context = keras.Input((config.context,), name="context", dtype="int32")
    candidates = keras.Input((None,), name="candidates", dtype="int32")
    embedding = layers.Embedding(config.vocabulary_size, config.embedding_size, name="embedding")
    dropout = layers.Dropout(config.dropout, name="dropout")
    around = layers.Flatten(name="around")(dropout(embedding(context)))
    around = layers.Dense(config.hidden_size, name="W_around")(around)
    middle = dropout(embedding(candidates))
    middle = layers.Dense(config.hidden_size, use_bias=False, name="W_middle")(middle)
    hidden = ops.tanh(ops.expand_dims(around, 1) + middle)
    scores = layers.Dense(1, use_bias=False, dtype="float32", name="u")(hidden)
    scores = layers.Identity(dtype="float32", name="scores")(ops.squeeze(scores, -1))
    inputs = {"context": context, "candidates": candidates}
    return keras.Model(inputs, {"scores": scores}, name="ranking")


# Recipes ------------------------------------------------------------------------------------------


@register(
    "language/ranking-enwiki",
    paper="Collobert & Weston 2008",
    corpus=ENWIKI,
    metric="accuracy",
)
def ranking_enwiki(name: str) -> Recipe:
    """Vectors of words, learnt by a network that tells a true window of text from a corrupted one.

    The corrupted window has another word in its middle, drawn from the vocabulary, each word alike.
    `accuracy` is how often the true window of held-out text scores higher. `zoo evaluate` also tells
    what the counts of the two words alone would reach, which is much: most drawn words are rare. Vectors
    are alike of words that can stand in the same place: `zoo neighbours`.

    `spearman_ws353` is the agreement with people on WordSim-353, over the pairs of which it knows both
    words; WordSim-353 had no part in the training, nor in the choice of its settings. The text is short,
    of 437,000 words; the paper's had 631 million.
    """
    return Recipe(
        name=name,
        # More than one drawn word for each window, where the paper has one: a pass learns more.
        data=WordWindows(min_count=5, window=3, negatives=5),
        model=RankingNetwork(vocabulary_size=8_000, context=6, embedding_size=64, dropout=0.2),
        task=Ranking(),
        decoder=Neighbours(),
        optimizer=AdamW(learning_rate=3e-3, warmup_epochs=0.2),
        training=GradientDescent(epochs=10, batch_size=1024, patience=10),
    )
