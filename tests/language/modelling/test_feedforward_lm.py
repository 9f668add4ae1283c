"""The feed-forward language model: its equation, its context and its history."""

import keras
import numpy as np
import pytest

from tests.harness import check_model
from tests.language.modelling.stepping import check_states_are_carried
from tests.language.test_corpora import WIKITEXT
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.states import initial_states
from zoo.language.modelling.corpora.wikitext2 import WIKITEXT2

TINY = {
    "model.context": 3,
    "model.embedding_size": 6,
    "model.hidden_size": 8,
    "training.batch_size": 4,
    "data.time_steps": 16,
    "decoder.length": 12,
}


def tiny(**overrides):
    """Return a recipe with a tiny model and the vocabulary of the examples, and the examples."""
    recipe = registry.entry("language/feedforward-ptb").recipe().override(TINY | overrides)
    examples = recipe.data.prepare(WIKITEXT2.read(WIKITEXT, "valid"))
    return recipe.adapt(examples), examples


@pytest.fixture(scope="module")
def built():
    """Return (recipe, examples, model, graphs) with random weights."""
    recipe, examples = tiny()
    keras.utils.set_random_seed(1)
    model = recipe.model.build()
    for weight in model.weights:  # for probabilities that are far from uniform
        weight.assign(np.random.default_rng(2).normal(size=weight.shape))
    return recipe, examples, model, Graphs("keras", recipe.model.functions(model))


def test_harness(tmp_path, formats):
    recipe, examples = tiny()
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
        tiny(**{"model.context": 1})
    with pytest.raises(ZooError, match=r"model\.dropout must be at least 0 and below 1"):
        tiny(**{"model.dropout": 1.0})
