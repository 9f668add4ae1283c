"""Tiny language models."""

import numpy as np

from tests.language.test_corpora import WIKITEXT
from zoo.common.core import registry
from zoo.common.core.model import Graphs
from zoo.language.modelling.corpora.wikitext2 import WIKITEXT2
from zoo.language.modelling.data import SAMPLE

CHARACTERS = "language/charlstm-shakespeare"
TINY = {
    "model.embedding_size": 6,
    "model.hidden_size": 8,
    "training.batch_size": 4,
    "data.time_steps": 16,
    "decoder.length": 12,
}


def tiny(name, **overrides):
    """Return a recipe with a tiny model and the vocabulary of the examples, and the examples."""
    recipe = registry.entry(name).recipe().override(TINY | overrides)
    if name == CHARACTERS:
        examples = recipe.data.read_manifest(SAMPLE)
    else:
        examples = recipe.data.prepare(WIKITEXT2.read(WIKITEXT, "valid"))
    return recipe.adapt(examples), examples


def random_model(name, **overrides):
    """Return (recipe, examples, model, graphs) of a tiny model with random weights."""
    recipe, examples = tiny(name, **overrides)
    model = recipe.model.build()
    for weight in model.weights:  # for probabilities that are far from uniform
        weight.assign(np.random.default_rng(2).normal(size=weight.shape))
    return recipe, examples, model, Graphs("keras", recipe.model.functions(model))
