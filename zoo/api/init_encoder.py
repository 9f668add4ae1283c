"""Start a classifier of texts from the encoder of a language model."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from zoo.api.options import PresetLike, preset_folder, preset_name, preset_recipe
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.presets import store
from zoo.common.tasks.classification import Classification
from zoo.common.tasks.language_modelling import LanguageModelling
from zoo.common.training.text_encoder import TextEncoder, with_encoder
from zoo.common.utils.progress import say


def language_model(recipe: Recipe, source: PresetLike) -> Recipe:
    """Return the recipe of a language model whose encoder a classifier starts from.

    Args:
        recipe: recipe of the classifier.
        source: a preset or run.

    Raises:
        ZooError: there is no such preset, it is not a language model with an encoder, or the recipe is
            not a classifier with an encoder.
    """
    if not isinstance(recipe.task, Classification) or not isinstance(recipe.model, TextEncoder):
        raise ZooError(
            f"--init-encoder needs a recipe of a text classifier. Received: {recipe.name}."
        )
    found = preset_recipe(source)
    if not isinstance(found.task, LanguageModelling) or not isinstance(found.model, TextEncoder):
        raise ZooError(
            f"--init-encoder must be a language model with recurrent layers. Received: "
            f"{preset_name(source)}, of the recipe {found.name!r}."
        )
    return found


def with_words_of(recipe: Recipe, trained: Recipe) -> Recipe:
    """Return a recipe whose vocabulary has also the words of a language model, after its own words."""
    data: Any = recipe.data
    words: Any = trained.data
    others = [token for token in words.vocabulary.tokens if token != words.start]
    vocabulary = data.vocabulary.with_tokens(others)
    return replace(recipe, data=replace(data, vocabulary=vocabulary)).adapt([])


def model_with_encoder(recipe: Recipe, source: PresetLike) -> Any:
    """Return a new model of a recipe with the encoder of a language model.

    Raises:
        ZooError: a file of the language model is missing or corrupt, or its layers have other sizes.
    """
    folder = preset_folder(source)
    trained = store.load_recipe(folder)
    config, language = recipe.model, trained.model
    data: Any = recipe.data
    words: Any = trained.data
    assert isinstance(config, TextEncoder)
    assert isinstance(language, TextEncoder)
    layers = language.encoder(store.load_model(folder, trained))
    seed = recipe.training.seed
    model, found = with_encoder(config, data.vocabulary, layers, words.vocabulary, seed)
    say(f"{found} of {len(data.vocabulary)} words have the embedding of {preset_name(source)}.")
    return model
