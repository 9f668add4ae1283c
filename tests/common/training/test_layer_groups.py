"""Frozen layers, and a learning rate for each layer."""

import keras
import numpy as np
import pytest

from tests.common.training.test_output_layer import DIGITS, built
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.training.layer_groups import Freezing, depths, trained_layers
from zoo.common.training.optimizers import AdamW


@pytest.fixture
def classifier():
    tiny = {"model.embedding_size": 4, "model.hidden_size": 3, "model.vocabulary_size": 9}
    return entry("language/bilstm-sst2").recipe().override(tiny)


def test_layers_from_the_output_down(classifier):
    network = classifier.model.build()
    assert [layer.name for layer in trained_layers(network)] == ["logits", "lstm0", "embedding"]
    found = depths(network)
    assert found["logits/kernel"] == found["logits/bias"] == 0
    assert found["lstm0/backward_lstm0/lstm_cell/kernel"] == 1
    assert found["embedding/embeddings"] == 2
    assert len(found) == len(network.trainable_weights)


def test_each_layer_has_its_learning_rate(classifier):
    """The first step of Adam is the learning rate, whatever the size of the gradient."""
    network = classifier.model.build()
    before = {weight.path: np.array(weight) for weight in network.trainable_weights}
    optimizer = AdamW(0.08, warmup_epochs=0, clip_norm=1e6, layer_decay=0.25)
    optimizer = optimizer.build(10**6, 1, depths(network))
    optimizer.build(network.trainable_weights)
    ones = [keras.ops.ones(weight.shape) for weight in network.trainable_weights]
    optimizer.apply(ones, network.trainable_weights)
    rates = {"logits": 0.08, "lstm0": 0.02, "embedding": 0.005}
    for weight in network.trainable_weights:
        rate = rates[weight.path.partition("/")[0]]
        step = before[weight.path] - np.array(weight)
        np.testing.assert_allclose(step, rate, rtol=1e-3, atol=1e-6, err_msg=weight.path)


def test_one_learning_rate_by_default(classifier):
    network = classifier.model.build()
    optimizer = AdamW(0.08).build(10, 1, depths(network))
    assert type(optimizer) is keras.optimizers.AdamW or keras.config.backend() == "torch"


@pytest.mark.parametrize("value", [0, 1.5])
def test_layer_decay_is_checked(value):
    with pytest.raises(ZooError, match="layer_decay must be"):
        AdamW(layer_decay=value)


def test_gradual_unfreezing(classifier):
    recipe = classifier.override({"training.frozen_epochs": 2, "training.gradual_unfreezing": True})
    model = recipe.model.build()
    freezing = Freezing(recipe, model, model, is_started=True)
    found = []
    for epoch in range(5):
        changed = freezing.update(epoch)
        found.append((changed, [layer.name for layer in trained_layers(model)]))
    assert found == [
        (True, ["logits"]),
        (False, ["logits"]),
        (True, ["logits", "lstm0"]),
        (True, ["logits", "lstm0", "embedding"]),
        (False, ["logits", "lstm0", "embedding"]),
    ]


def test_frozen_layers():
    recipe = built("speech/tdnn-fsdd", DIGITS, **{"training.frozen_epochs": 2})
    model = recipe.model.build()
    network = recipe.model.training_model(model)
    freezing = Freezing(recipe, model, network, is_started=True)
    assert [freezing.update(epoch) for epoch in (0, 1)] == [True, False]
    assert [tuple(w.shape) for w in network.trainable_weights] == [(5, 8, 10), (10,)]
    assert freezing.update(2)
    assert len(network.trainable_weights) == 4
    assert not freezing.update(3)


def test_frozen_layers_need_a_preset_and_an_output_layer():
    recipe = built("speech/tdnn-fsdd", DIGITS, **{"training.frozen_epochs": 2})
    with pytest.raises(ZooError, match="frozen_epochs needs the weights of a preset"):
        Freezing(recipe, None, None, is_started=False)
    language = entry("language/charlstm-hello").recipe().override({"training.frozen_epochs": 1})
    if keras.config.backend() != "jax":
        with pytest.raises(ZooError, match="has no output layer of labels"):
            Freezing(language, None, None, is_started=True)
