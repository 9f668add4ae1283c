"""The graph of word vectors, which all models of word embeddings have."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def embed_graph(model: keras.Model) -> keras.Model:
    """Return the graph `embed` of a model with the layer `embedding`.

    Args:
        model: the functional model.

    Returns:
        A model with the input `tokens` int32 [batch, time] and the output `vectors` float32 [batch,
        time, size].
    """
    import keras
    from keras import layers

    tokens = keras.Input((None,), name="tokens", dtype="int32")
    vectors = model.get_layer("embedding")(tokens)
    vectors = layers.Identity(dtype="float32", name="vectors")(vectors)
    return keras.Model({"tokens": tokens}, {"vectors": vectors}, name="embed")
