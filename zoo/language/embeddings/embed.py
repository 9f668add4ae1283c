"""What models of word vectors share: the graph that gives the vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import keras


def embed_graph(model: keras.Model) -> keras.Model:
    """Return the graph `embed` of a model with the layer `embedding`.

    Its input is `tokens` int32 [batch, time], its output `vectors` float32 [batch, time, size].
    """
    import keras
    from keras import layers

    tokens = keras.Input((None,), name="tokens", dtype="int32")
    vectors = model.get_layer("embedding")(tokens)
    vectors = layers.Identity(dtype="float32", name="vectors")(vectors)
    return keras.Model({"tokens": tokens}, {"vectors": vectors}, name="embed")
