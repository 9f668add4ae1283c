"""Training step of a captioner, LRCN: 64 images, captions of 16 tokens, a vocabulary of 2,500 words.

The features and words are random. All captions have the same length.
"""

import numpy as np

PYTORCH = ("pytorch",)
STEPS, WORDS = 16, 2500


def make_recipe():
    """Return the recipe."""
    from zoo.common.core.registry import entry

    recipe = entry("vision_language/lrcn-rsicd").recipe()
    return recipe.override({"model.vocabulary_size": WORDS})


def make_batch(recipe) -> tuple[dict, dict]:
    """Return x and y of a batch."""
    generator, rows = np.random.default_rng(0), recipe.training.batch_size
    features = generator.normal(size=(rows, 6, 6, 512)).clip(0).astype(np.float32)
    words = generator.integers(WORDS, size=(rows, STEPS + 1)).astype(np.int32)
    x = {"features": features, "tokens": words[:, :-1]}
    return x, {"targets": words[:, 1:], "lengths": np.full(rows, STEPS, np.int32)}


def trained_part(model):
    """Return the trained part of a model, the layers after VGG16."""
    return model.get_layer("decoder")


keras_loss = None  # the loss of the task, which uses Keras operations


def pytorch_network(recipe, x, y, contender):
    """Return the PyTorch network, and a function that returns its loss."""
    import torch
    from torch import nn

    config = recipe.model
    size = config.hidden_size
    features = torch.from_numpy(x["features"]).flatten(1, 2)
    tokens = torch.from_numpy(x["tokens"]).long()
    targets = torch.from_numpy(y["targets"]).long()

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.norm = nn.BatchNorm1d(2 * features.shape[2])
            self.image = nn.Linear(2 * features.shape[2], size)
            self.embedding = nn.Embedding(WORDS, config.embedding_size)
            self.layers = nn.ModuleList(
                [nn.LSTM(w, size, batch_first=True) for w in (config.embedding_size, size)]
            )
            self.drop = nn.Dropout(config.dropout)
            self.logits = nn.Linear(size, WORDS)

        def forward(self):
            pooled = torch.cat([features.mean(1), features.amax(1)], dim=1)
            image = self.image(self.norm(pooled))
            x = self.layers[0](self.drop(self.embedding(tokens)))[0]
            x = self.layers[1](x + image[:, None])[0]
            return self.logits(self.drop(x))

    network = Network()
    loss = nn.CrossEntropyLoss(label_smoothing=recipe.task.label_smoothing)
    return network, lambda: loss(network().flatten(0, 1), targets.flatten())
