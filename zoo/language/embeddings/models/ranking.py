"""A network that ranks windows of text above windows with another word in the center.

Collobert & Weston, "A unified architecture for natural language processing: deep neural networks with
multitask learning" (2008).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from zoo.common.core.errors import check_range
from zoo.common.core.recipe import Recipe
from zoo.common.core.registry import register
from zoo.common.core.settings import training_only
from zoo.common.runtime.keras_model import KerasModel
from zoo.common.training.optimizers import AdamW
from zoo.common.training.trainers import GradientDescent
from zoo.language.embeddings.context_windows import CenterWords
from zoo.language.embeddings.corpora.enwiki import ENWIKI
from zoo.language.embeddings.data import EMBED, SCORE
from zoo.language.embeddings.embed_graph import embed_graph
from zoo.language.embeddings.task import Neighbours, Ranking

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class RankingNetwork(KerasModel):
    """Arguments of the model.

    Args:
        vocabulary_size: number of words with a vector.
        context: number of words around the center word, half of them before it.
        embedding_size: size of a vector.
        hidden_size: number of units of the hidden layer.
        dropout: dropout rate of the vectors.
    """

    vocabulary_size: int
    context: int = 10
    embedding_size: int = 50
    hidden_size: int = 100
    dropout: float = training_only(0.0)

    def __post_init__(self):
        for name in ("vocabulary_size", "context", "embedding_size", "hidden_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)
        check_range("model.dropout", self.dropout, at_least=0, below=1)

    def build(self) -> keras.Model:
        return build_ranking(self)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """Return `score`, the scores of candidates in a context, and `embed`, the vectors of words."""
        return {SCORE: model, EMBED: embed_graph(model)}


# Functional model ---------------------------------------------------------------------------------


def build_ranking(config: RankingNetwork) -> keras.Model:
    """Return the functional model.

        s = u . tanh(W x + b)

    x is the concatenation of the vectors of a window. W is stored in two parts, one for the context and
    one for the center word, so that the context is multiplied only once for all candidates.

    Args:
        config: arguments of the model.

    Returns:
        A model with the inputs `context` int32 [batch, context], the words around the center in order,
        and `candidates` int32 [batch, n], words for the center. Its output is `scores` float32 [batch,
        n].
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
    metric="spearman_ws353",
)
def ranking_enwiki(name: str) -> Recipe:
    """Word vectors from a network that separates true windows of text from corrupted ones.

    Words that occur in the same contexts have similar vectors: see `zoo neighbours`. For words that are
    related, use `language/skipgram-enwiki`.

    A corrupted window has another word in its center, drawn from the vocabulary with equal
    probabilities. `accuracy` is the share of windows of held-out text whose score is higher than that of
    the corrupted one. `zoo evaluate` also reports the accuracy of the counts of the two words alone,
    which is high because most drawn words are rare.

    `spearman_ws353` is the rank correlation with human judgements in WordSim-353, over the pairs with
    both words in the vocabulary. WordSim-353 was not used for the training or for the choice of its
    settings. The likely cause of the low correlation is that this network learns which words can take
    the same position in a sentence, and has little text: 437,000 words; the paper's text has 631
    million.
    """
    return Recipe(
        name=name,
        # The paper has one drawn word per window. With five, an epoch learns more.
        data=CenterWords(min_count=5, window=3, negatives=5),
        model=RankingNetwork(vocabulary_size=8_000, context=6, embedding_size=64, dropout=0.2),
        task=Ranking(),
        decoder=Neighbours(),
        optimizer=AdamW(learning_rate=3e-3, warmup_epochs=0.2),
        training=GradientDescent(epochs=10, batch_size=1024, patience=10),
    )
