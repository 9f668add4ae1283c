"""Training step of a language model: 20 rows of 35 words, two LSTM layers of 650 units.

This is the medium size of Zaremba et al. with an embedding of 650 units, tied to the softmax. The words
are random, with frequencies by Zipf's law, from a vocabulary of 10,000. The states are carried over.
"""

import numpy as np

PYTORCH = ("pytorch",)


def make_recipe():
    """Return the recipe."""
    from zoo.common.core.registry import entry

    sizes = {"model.hidden_size": 650, "model.embedding_size": 650}
    recipe = entry("language/lstm-small-ptb").recipe()
    # The recurrent layers of PyTorch have no recurrent dropout.
    return recipe.override(sizes | {"model.recurrent_dropout": 0.0})


def make_batch(recipe) -> tuple[dict, dict]:
    """Return x and y of a batch."""
    rows, steps = recipe.training.batch_size, recipe.data.time_steps
    size = recipe.model.vocabulary_size
    uniform = np.random.default_rng(0).uniform(size=(rows, steps + 1))
    words = np.exp(uniform * np.log(size + 1)).astype(np.int32) - 1
    words = words.clip(0, size - 1)
    x = {"tokens": words[:, :-1], "reset_states": np.zeros(rows, bool)}
    return x, {"targets": words[:, 1:]}


def trained_part(model):
    """Return the trained part of a model."""
    return model


def keras_loss(y, outputs):
    """Return the loss by stock Keras."""
    import keras

    return keras.ops.sparse_categorical_crossentropy(
        y["targets"], outputs["logits"], from_logits=True
    )


def pytorch_network(recipe, x, y, contender):
    """Return the PyTorch network, and a function that returns its loss."""
    import torch
    from torch import nn

    config = recipe.model
    size, hidden = config.embedding_size, config.hidden_size
    tokens = torch.from_numpy(x["tokens"]).long()
    targets = torch.from_numpy(y["targets"]).long()

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(config.vocabulary_size, size)
            widths = [size] + [hidden] * (config.layers - 1)
            self.layers = nn.ModuleList([nn.LSTM(w, hidden, batch_first=True) for w in widths])
            self.states = [None] * config.layers

        def drop(self, x):  # the same mask at every step
            kept = torch.ones(x.shape[0], 1, x.shape[2])
            return x * nn.functional.dropout(kept, config.dropout)

        def forward(self):
            x = self.drop(self.embedding(tokens))
            for i, layer in enumerate(self.layers):
                x, states = layer(x, self.states[i])
                self.states[i] = tuple(state.detach() for state in states)
                x = self.drop(x)
            return nn.functional.linear(x, self.embedding.weight)

    network = Network()
    return network, lambda: nn.functional.cross_entropy(network().flatten(0, 1), targets.flatten())
