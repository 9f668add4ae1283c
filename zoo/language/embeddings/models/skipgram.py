"""Skip-gram: the vector of a word predicts the words near it.

Mikolov, Sutskever, Chen, Corrado & Dean, "Distributed representations of words and phrases and their
compositionality" (2013).
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
from zoo.language.embeddings.context_windows import SkipGramPairs
from zoo.language.embeddings.corpora.enwiki import ENWIKI
from zoo.language.embeddings.data import EMBED, SCORE
from zoo.language.embeddings.embed_graph import embed_graph
from zoo.language.embeddings.task import NegativeSampling, Neighbours

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SkipGram(KerasModel):
    """Arguments of the model.

    Args:
        vocabulary_size: number of words with a vector.
        embedding_size: size of a vector.
    """

    vocabulary_size: int
    embedding_size: int = 100

    def __post_init__(self):
        for name in ("vocabulary_size", "embedding_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)

    def build(self) -> keras.Model:
        return build_skipgram(self)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """Return `score`, the scores of candidates in a context, and `embed`, the vectors of words."""
        return {SCORE: model, EMBED: embed_graph(model)}


# Functional model ---------------------------------------------------------------------------------


def build_skipgram(config: SkipGram) -> keras.Model:
    """Return the functional model.

        s(w, c) = v_w . u_c

    Each word has two vectors: v as the given word, and u as a word near it. The answer of the model is
    v. The initial values of v are those of word2vec, and u has the same distribution: with the initial
    value 0 of word2vec, v would have no gradient in the first step.

    Args:
        config: arguments of the model.

    Returns:
        A model with the inputs `context` int32 [batch, 1], the given word, and `candidates` int32
        [batch, n]. Its output is `scores` float32 [batch, n].
    """
    import keras
    from keras import layers, ops

    context = keras.Input((1,), name="context", dtype="int32")
    candidates = keras.Input((None,), name="candidates", dtype="int32")
    start = 0.5 / config.embedding_size

    def embedding(name: str) -> layers.Embedding:
        uniform = keras.initializers.RandomUniform(-start, start)
        size = config.vocabulary_size, config.embedding_size
        return layers.Embedding(*size, embeddings_initializer=uniform, name=name)

    v = embedding("embedding")(context)
    u = embedding("output_embedding")(candidates)
    scores = layers.Identity(dtype="float32", name="scores")(ops.sum(v * u, axis=-1))
    inputs = {"context": context, "candidates": candidates}
    return keras.Model(inputs, {"scores": scores}, name="skipgram")


# Recipes ------------------------------------------------------------------------------------------


@register(
    "language/skipgram-enwiki",
    paper="Mikolov, Sutskever, Chen, Corrado & Dean 2013",
    corpus=ENWIKI,
    metric="spearman_ws353",
)
def skipgram_enwiki(name: str) -> Recipe:
    """Word vectors from words that occur near each other: skip-gram with negative sampling.

    Use `zoo neighbours`, `zoo analogy`, and `zoo vectors` for other tools.

    `spearman_ws353` is the rank correlation with human judgements in WordSim-353, over the pairs with
    both words in the vocabulary. WordSim-353 was not used for the training. The number of epochs was
    chosen after gensim's figures on it for 5, 15 and 30 epochs were known, but none of this model's.

    `accuracy` is the share of pairs of near words in held-out text whose score is higher than that of a
    word drawn at random. It chooses the epoch and is not a measure of a language model: the counts of
    the two words alone have a higher accuracy, which `zoo evaluate` reports, because drawn words are
    rarer, and the scores should not depend on that.

    The text has 437,000 words only; 200 times as many are usual. The vocabulary has the words with a
    count of at least five. The vectors of rare words are poor, and most analogies fail.
    """
    return Recipe(
        name=name,
        # These settings are the defaults of word2vec and gensim.
        data=SkipGramPairs(min_count=5, window=5, negatives=5, noise_power=0.75, subsampling=1e-3),
        model=SkipGram(vocabulary_size=8_000, embedding_size=100),
        task=NegativeSampling(),
        decoder=Neighbours(),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=0.2),
        training=GradientDescent(epochs=15, batch_size=2048, patience=15),
    )
