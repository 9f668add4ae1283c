"""The loss of a language model from a random sample of words, with the matrix of its embedding."""

from __future__ import annotations

from typing import Any

from keras import layers, ops

from zoo.common.layers.softmaxes import SampledSoftmax


class SampledLoss(layers.Layer):
    """A sampled softmax whose vectors of words are those of an embedding.

    Args:
        embedding: the embedding, which is built.
        num_sampled: number of words in the sample of a training step.
    """

    def __init__(self, embedding: layers.Embedding, num_sampled: int):
        super().__init__(name="sampled_loss")
        self.softmax = SampledSoftmax(embedding.input_dim, num_sampled)
        self.softmax.kernel = embedding.embeddings
        self.softmax.bias = ops.zeros((embedding.input_dim,))
        self.softmax.built = True

    def call(self, x: Any, tokens: Any) -> Any:
        """Return the loss of each token after the first one, float32 [batch, time - 1].

        Args:
            x: float [batch, time, features], from each of which the next token is predicted.
            tokens: int32 [batch, time].
        """
        return self.softmax.loss(x[:, :-1], tokens[:, 1:])
