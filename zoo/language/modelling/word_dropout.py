"""Dropout of whole words: a dropped word is missing at all its positions in a batch."""

from typing import Any

import keras
from keras import ops


class WordDropout(keras.layers.Layer):
    """Drop words of a vocabulary: the embedding dropout of Gal & Ghahramani (2016), for whole batches.

    y[b, t] = m[tokens[b, t]] x[b, t],  with m[w] = 0 with probability `rate`, else 1 / (1 - rate)

    Args:
        vocabulary_size: number of words.
        rate: probability that a word is dropped, in [0, 1).
    """

    def __init__(self, vocabulary_size: int, rate: float, **kwargs: Any):
        super().__init__(**kwargs)
        self.vocabulary_size, self.rate = vocabulary_size, rate
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, x: Any, tokens: Any, training: bool = False) -> Any:
        """Return embeddings, some of them set to 0.

        Args:
            x: float [batch, time, features], the embeddings.
            tokens: int [batch, time], the words that they represent.
            training: whether words are dropped.
        """
        if not training:
            return x
        ones = ops.ones((self.vocabulary_size,), x.dtype)
        kept = keras.random.dropout(ones, self.rate, seed=self.seed_generator)
        return x * ops.expand_dims(ops.take(kept, tokens), axis=-1)
