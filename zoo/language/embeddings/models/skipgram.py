"""Skip-gram: the vector of a word must fit the vectors of the words near it, and no others.

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
from zoo.language.embeddings.corpora.enwiki import ENWIKI
from zoo.language.embeddings.data import EMBED, SCORE, WordPairs
from zoo.language.embeddings.embed import embed_graph
from zoo.language.embeddings.task import NegativeSampling, Neighbours

if TYPE_CHECKING:
    import keras

# Config -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SkipGram(KerasModel):
    """Arguments of the model.

    vocabulary_size: int. Words it has vectors of.
    embedding_size: int. Numbers of a vector.
    """

    vocabulary_size: int
    embedding_size: int = 100

    def __post_init__(self):
        for name in ("vocabulary_size", "embedding_size"):
            check_range(f"model.{name}", getattr(self, name), at_least=1)

    def build(self) -> keras.Model:
        """See `build_skipgram`."""
        return build_skipgram(self)

    def graphs(self, model: keras.Model) -> dict[str, keras.Model]:
        """`score`: how well candidates fit a context. `embed`: the vectors of words."""
        return {SCORE: model, EMBED: embed_graph(model)}


# Functional model ---------------------------------------------------------------------------------


def build_skipgram(config: SkipGram) -> keras.Model:
    """Build the functional model, words in and scores out.

    s(w, c) = v_w . u_c

    Every word has two vectors: v as the word that is given, u as a word near it. The vectors v are the
    model's answer. Both begin as in word2vec but u is not 0, which would leave v without a gradient in
    the first step.

    Args:
        config: its arguments.

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
    metric="accuracy",
)
def skipgram_enwiki(name: str) -> Recipe:
    """Vectors of words, learnt from which words stand near each other: skip-gram, negative sampling.

    To see words by their company: `zoo neighbours`, `zoo analogy`, and `zoo vectors` for other tools.
    `spearman_ws353` is the agreement with people on WordSim-353, over the pairs of which it knows both
    words. WordSim-353 had no part in the training; the number of passes was decided when gensim's
    figures on it for 5, 15 and 30 passes had been seen, and none of this model's.

    `accuracy` is how often a word near another one in held-out text scores above a word drawn at random.
    It chooses the epoch, and does not measure a model of text: the counts of the two words alone reach
    more, as `zoo evaluate` tells, because drawn words are rarer, which these scores are not to see.

    The text is short, of 437,000 words: 200 times as much is usual. It knows the words that stand in it
    five times or more; the vectors of the rare ones among them are poor, and analogies mostly fail.
    """
    return Recipe(
        name=name,
        # Window, count, drawn words and subsampling are the defaults of word2vec and gensim.
        data=WordPairs(min_count=5, window=5, negatives=5, noise_power=0.75, subsampling=1e-3),
        model=SkipGram(vocabulary_size=8_000, embedding_size=100),
        task=NegativeSampling(),
        decoder=Neighbours(),
        optimizer=AdamW(learning_rate=2e-3, warmup_epochs=0.2),
        training=GradientDescent(epochs=15, batch_size=2048, patience=15),
    )
