"""The feed-forward language model: its equation, its context and its history."""

import numpy as np
import pytest

from tests.harness import check_model
from tests.language.modelling.stepping import check_states_are_carried
from tests.language.modelling.tiny import random_model, tiny
from zoo.common.core.errors import ZooError
from zoo.common.core.states import initial_states

NAME = "language/feedforward-ptb"
CONTEXT = {"model.context": 3}


@pytest.fixture(scope="module")
def built():
    return random_model(NAME, **CONTEXT)


def test_harness(tmp_path, formats):
    recipe, examples = tiny(NAME, **CONTEXT)
    check_model(recipe, examples, tmp_path / "tiny", formats)


def test_the_logits_are_those_of_the_equation(built):
    """NumPy gives h = tanh(b + sum of H_i C(w(t-i))), logits = C (P h + d)."""
    recipe, _, model, graphs = built
    embedding = np.array(model.get_layer("embedding").embeddings)
    kernel, bias = map(np.array, model.get_layer("hidden").weights)  # kernel: the oldest word first
    projection, shift = map(np.array, model.get_layer("projection").weights)
    outputs = graphs["step"](tokens=[[5, 7, 2]], **initial_states(recipe.model.states, 1))
    words = [0, 0, 5, 7, 2]
    for t in range(3):
        read = zip(words[t : t + 3], kernel, strict=True)
        hidden = np.tanh(bias + sum(embedding[word] @ matrix for word, matrix in read))
        logits = embedding @ (hidden @ projection + shift)
        np.testing.assert_allclose(outputs["logits"][0, t], logits, rtol=1e-4, atol=1e-3)
    assert outputs["next_history"].tolist() == [[7, 2]]


def test_the_history_can_be_carried_from_any_position(built):
    recipe, examples, _, graphs = built
    tokens = recipe.data.read_example(examples[0], recipe.model)["tokens"][np.newaxis, :40]
    check_states_are_carried(recipe, graphs, tokens)


def test_the_logits_depend_on_the_context_only(built):
    recipe, _, _, graphs = built
    states = initial_states(recipe.model.states, 2)
    logits = graphs["step"](tokens=[[3, 5, 7, 2], [4, 5, 7, 2]], **states)["logits"]
    assert np.abs(logits[0, 2] - logits[1, 2]).max() > 1e-3
    np.testing.assert_allclose(logits[0, 3], logits[1, 3], atol=1e-5)


def test_bad_settings():
    with pytest.raises(ZooError, match=r"model\.context must be at least 2"):
        tiny(NAME, **{"model.context": 1})
    with pytest.raises(ZooError, match=r"model\.dropout must be at least 0 and below 1"):
        tiny(NAME, **{"model.dropout": 1.0})
