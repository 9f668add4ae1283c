"""The simple recurrent language model: its equations and its state."""

import numpy as np
import pytest

from tests.harness import check_model
from tests.language.modelling.stepping import check_states_are_carried
from tests.language.modelling.tiny import random_model, tiny
from zoo.common.core.errors import ZooError

NAME = "language/rnn-ptb"


@pytest.fixture(scope="module")
def built():
    return random_model(NAME)


def test_harness(tmp_path, formats):
    recipe, examples = tiny(NAME)
    check_model(recipe, examples, tmp_path / "tiny", formats)


def test_the_logits_are_those_of_the_equations(built):
    """NumPy gives s(t) = sigmoid(K C^T w(t) + W s(t-1) + b), logits = C P s(t) + d."""
    _, _, model, graphs = built
    embedding = np.array(model.get_layer("embedding").embeddings)
    kernel, recurrent_kernel, bias = map(np.array, model.get_layer("rnn").weights)
    projection, shift = map(np.array, model.get_layer("projection").weights)
    state = np.random.default_rng(3).uniform(size=(1, 8)).astype(np.float32)
    outputs = graphs["step"](tokens=[[5, 7, 2]], s=state)
    s = state[0]
    for t, word in enumerate((5, 7, 2)):
        s = 1 / (1 + np.exp(-(embedding[word] @ kernel + s @ recurrent_kernel + bias)))
        logits = embedding @ (s @ projection + shift)
        np.testing.assert_allclose(outputs["logits"][0, t], logits, rtol=1e-4, atol=1e-3)
    np.testing.assert_allclose(outputs["next_s"][0], s, atol=1e-5)


def test_the_state_can_be_carried_from_any_position(built):
    recipe, examples, _, graphs = built
    tokens = recipe.data.read_example(examples[0], recipe.model)["tokens"][np.newaxis, :40]
    check_states_are_carried(recipe, graphs, tokens)


def test_bad_settings():
    with pytest.raises(ZooError, match=r"model\.hidden_size must be at least 1"):
        tiny(NAME, **{"model.hidden_size": 0})
    with pytest.raises(ZooError, match=r"model\.dropout must be at least 0 and below 1"):
        tiny(NAME, **{"model.dropout": 1.0})
