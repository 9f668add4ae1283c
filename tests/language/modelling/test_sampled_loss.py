"""The loss of a language model from a sample of words."""

import keras
import numpy as np
from keras import ops

from tests.language.modelling.test_lstm_lm import outputs_of
from tests.language.modelling.tiny import tiny
from zoo.common.core.states import initial_states
from zoo.common.layers.softmaxes import SampledSoftmax

NAME = "language/lstm-english"


def test_a_sample_of_all_words_gives_the_full_softmax(monkeypatch):
    """With each word once in the sample, and equal probabilities, the estimate is exact."""
    recipe, _ = tiny(NAME, **{"model.dropout": 0})
    size = recipe.model.vocabulary_size
    recipe = recipe.override({"model.num_sampled": size})
    monkeypatch.setattr(SampledSoftmax, "draw", lambda self: ops.arange(size))
    monkeypatch.setattr(
        SampledSoftmax, "log_q", lambda self, words: ops.full(words.shape, -np.log(size))
    )
    model = recipe.model.build()
    tokens = np.array([[0, 3, 1, 4], [2, 2, 5, 0]], np.int32)
    states = initial_states(recipe.model.states, len(tokens))
    outputs = recipe.model.training_model(model)({"tokens": tokens, **states})
    log_probs = ops.log_softmax(outputs_of(recipe, model, tokens)["logits"])
    expected = -np.take_along_axis(np.array(log_probs)[:, :-1], tokens[:, 1:, None], -1)[..., 0]
    np.testing.assert_allclose(np.array(outputs["nats"]), expected, atol=1e-5)
    assert {"next_h0", "next_c0"} < set(outputs)
    losses = recipe.task.loss({"targets": tokens}, outputs)
    np.testing.assert_allclose(np.array(losses), expected.mean(axis=1), atol=1e-5)


def test_the_loss_has_no_weights_of_its_own():
    recipe, _ = tiny(NAME)
    model = recipe.model.build()
    network = recipe.model.training_model(model)
    assert {w.path for w in network.trainable_weights} == {w.path for w in model.trainable_weights}
    assert isinstance(network, keras.Model)
