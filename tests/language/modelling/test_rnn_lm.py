"""The simple recurrent language model: its equations and its state."""

import numpy as np
import pytest

from tests.harness import check_model
from tests.language.modelling.stepping import check_states_are_carried
from tests.language.test_corpora import WIKITEXT
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.language.modelling.corpora.wikitext2 import WIKITEXT2

TINY = {
    "model.embedding_size": 6,
    "model.hidden_size": 8,
    "training.batch_size": 4,
    "data.time_steps": 16,
    "decoder.length": 12,
}


def tiny(**overrides):
    """Return a recipe with a tiny model and the vocabulary of the examples, and the examples."""
    recipe = registry.entry("language/rnn-ptb").recipe().override(TINY | overrides)
    examples = recipe.data.prepare(WIKITEXT2.read(WIKITEXT, "valid"))
    return recipe.adapt(examples), examples


@pytest.fixture(scope="module")
def built():
    """Return (recipe, examples, model, graphs) with random weights."""
    recipe, examples = tiny()
    model = recipe.model.build()
    for weight in model.weights:
        weight.assign(np.random.default_rng(2).normal(size=weight.shape))
    return recipe, examples, model, Graphs("keras", recipe.model.functions(model))


def test_harness(tmp_path, formats):
    recipe, examples = tiny()
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
        tiny(**{"model.hidden_size": 0})
    with pytest.raises(ZooError, match=r"model\.dropout must be at least 0 and below 1"):
        tiny(**{"model.dropout": 1.0})
