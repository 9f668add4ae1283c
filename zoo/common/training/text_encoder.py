"""The encoder of a model of texts, an embedding and recurrent layers, and its transfer to another model.

Howard & Ruder, "Universal language model fine-tuning for text classification" (2018).
"""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.data.vocabulary import Vocabulary
from zoo.common.runtime.keras_model import KerasModel

if TYPE_CHECKING:
    import keras


class TextEncoder(KerasModel):
    """Config of a model that reads tokens with an embedding and then recurrent layers."""

    @abstractmethod
    def encoder(self, model: keras.Model) -> list[keras.layers.Layer]:
        """Return the embedding and the recurrent layers of a model, in the order of the computation."""


def with_encoder(
    config: TextEncoder,
    vocabulary: Vocabulary,
    trained: list[keras.layers.Layer],
    known: Vocabulary,
    seed: int,
) -> tuple[keras.Model, int]:
    """Return a new model whose encoder has the weights of a trained one.

    A token that the trained encoder does not know has the mean of its embeddings.

    Args:
        config: config of the new model.
        vocabulary: vocabulary of the new model.
        trained: the encoder of a trained model.
        known: vocabulary of the trained model.
        seed: seed of the other weights.

    Returns:
        The model, and the number of its tokens that the trained encoder knows.

    Raises:
        ZooError: the layers of the two encoders have different sizes.
    """
    import keras

    keras.utils.set_random_seed(seed)
    model = config.build()
    embedding, *layers = config.encoder(model)
    rows, *weights = trained[0].get_weights()[0], *trained[1:]
    sizes, wanted = ([_shapes(of) for of in encoder] for encoder in (weights, layers))
    width = embedding.get_weights()[0].shape[1]
    if (rows.shape[1], sizes) != (width, wanted):
        raise ZooError(
            f"The encoder must have an embedding of size {width} and layers with weights of the sizes "
            f"{wanted}. Received: {rows.shape[1]} and {sizes}."
        )
    found = [token in known for token in vocabulary.tokens]
    indices = [known.index(token) if token in known else 0 for token in vocabulary.tokens]
    values = np.where(np.array(found)[:, np.newaxis], rows[indices], rows.mean(axis=0))
    embedding.set_weights([values])
    for layer, other in zip(layers, weights, strict=True):
        layer.set_weights(other.get_weights())
    return model, sum(found)


def _shapes(layer: keras.layers.Layer) -> list[tuple[int, ...]]:
    return [tuple(weight.shape) for weight in layer.weights]
