"""Dropout of whole words: a word that is dropped is unknown wherever it stands in a batch."""

import keras
from keras import ops


class WordDropout(keras.layers.Layer):
    """Drop words of a vocabulary, the embedding dropout of Gal & Ghahramani (2016) for all of a batch.

    y[b, t] = m[tokens[b, t]] x[b, t],  with m[w] = 0 by the probability `rate`, else 1 / (1 - rate)

    Args:
        vocabulary_size: int. Words there are. rate: float in [0, 1).
    """

    def __init__(self, vocabulary_size: int, rate: float, **kwargs):
        super().__init__(**kwargs)
        self.vocabulary_size, self.rate = vocabulary_size, rate
        self.seed_generator = keras.random.SeedGenerator()

    def call(self, x, tokens, training=False):
        """Return x float [batch, time, features], which stands for `tokens` int [batch, time]."""
        if not training:
            return x
        ones = ops.ones((self.vocabulary_size,), x.dtype)
        kept = keras.random.dropout(ones, self.rate, seed=self.seed_generator)
        return x * ops.expand_dims(ops.take(kept, tokens), axis=-1)
