"""Training step of a sentence classifier: 32 sentences of 20 to 40 words, a bidirectional LSTM.

The words and lengths are random. PyTorch uses packed sequences.
"""

import numpy as np

PYTORCH = ("pytorch",)
LONGEST = 40


def make_recipe():
    """Return the recipe."""
    from zoo.common.core.registry import entry

    return entry("language/bilstm-sst2").recipe()


def make_batch(recipe) -> tuple[dict, dict]:
    """Return x and y of a batch."""
    generator, rows = np.random.default_rng(0), recipe.training.batch_size
    lengths = generator.integers(LONGEST // 2, LONGEST + 1, size=rows).astype(np.int32)
    lengths[0] = LONGEST
    words = generator.integers(1, recipe.model.vocabulary_size, size=(rows, LONGEST))
    inside = np.arange(LONGEST) < lengths[:, np.newaxis]
    x = {"tokens": np.where(inside, words, 0).astype(np.int32), "lengths": lengths}
    return x, {"label": generator.integers(2, size=rows).astype(np.int32)}


def trained_part(model):
    """Return the trained part of a model."""
    return model


keras_loss = None  # the loss of the task, which uses Keras operations


def pytorch_network(recipe, x, y, contender):
    """Return the PyTorch network, and a function that returns its loss."""
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence

    config = recipe.model
    tokens, lengths = torch.from_numpy(x["tokens"]).long(), torch.from_numpy(x["lengths"]).long()
    label = torch.from_numpy(y["label"]).long()

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.embedding = nn.Embedding(config.vocabulary_size, config.embedding_size)
            size = (config.embedding_size, config.hidden_size)
            self.layer = nn.LSTM(*size, batch_first=True, bidirectional=True)
            self.drop = nn.Dropout(config.dropout)
            self.logits = nn.Linear(2 * config.hidden_size, config.num_classes)

        def forward(self):
            x = self.drop(self.embedding(tokens))
            x = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
            _, (last, _) = self.layer(x)
            return self.logits(self.drop(torch.cat([last[0], last[1]], dim=1)))

    network = Network()
    return network, lambda: nn.functional.cross_entropy(network(), label)
