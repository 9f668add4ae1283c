"""Compare and mix language models by the log-probabilities that they give to the tokens of a text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.core.predictor import Predictor
from zoo.common.core.recipe import Recipe
from zoo.common.language_model.mixture import fit_weights, mix, perplexity
from zoo.common.tasks.language_modelling import LanguageModelling
from zoo.language.modelling.data import RunningText


@dataclass(frozen=True)
class ScoredText:
    """A text with its log-probabilities under several models.

    Args:
        tokens: tokens of the text; those outside the vocabulary are the unknown token.
        log_probs: float64 [models, tokens], in nats.
    """

    tokens: tuple[str, ...]
    log_probs: np.ndarray


@dataclass(frozen=True)
class ScoredSplits:
    """Two splits of a corpus with their log-probabilities under several models.

    Args:
        names: names of the models.
        start: the token that ends a line.
        fitted_on: the split on which weights of mixtures are fitted.
        split: the split on which models are evaluated.
    """

    names: tuple[str, ...]
    start: str
    fitted_on: ScoredText
    split: ScoredText

    def mixture(self, models: Sequence[int]) -> dict[str, Any]:
        """Return the mixture of the models with these indices, JSON-ready."""
        weights = fit_weights(self.fitted_on.log_probs[list(models)])
        mixed = mix(self.split.log_probs[list(models)], weights)
        return {
            "models": [self.names[i] for i in models],
            "weights": [round(float(weight), 6) for weight in weights],
            "perplexity": round(perplexity(mixed), 6),
        }

    def perplexities(self) -> list[dict[str, Any]]:
        """Return the perplexity of each model, JSON-ready."""
        return [
            {"model": name, "perplexity": round(perplexity(log_probs), 6)}
            for name, log_probs in zip(self.names, self.split.log_probs, strict=True)
        ]


def check_comparable(names: Sequence[str], recipes: Sequence[Recipe]) -> None:
    """Check that models are language models with the same tokens. No model is loaded.

    Args:
        names: names of the models, for error messages.
        recipes: recipe of each model.

    Raises:
        ZooError: there are fewer than two models, or they cannot be compared.
    """
    if len(recipes) < 2:
        raise ZooError(f"There must be two models or more. Received: {', '.join(names)}.")
    for name, recipe in zip(names, recipes, strict=True):
        if not isinstance(recipe.task, LanguageModelling):
            raise ZooError(f"{name} is not a language model.")
        _check_same_tokens(names[0], _text_data(recipes[0]), name, _text_data(recipe))


def score_splits(
    names: Sequence[str],
    predictors: Sequence[Predictor],
    task: LanguageModelling,
    fitted_on: Sequence[Any],
    split: Sequence[Any],
) -> ScoredSplits:
    """Compute the log-probabilities of two splits under models, with states carried over each text.

    Args:
        names: names of the models.
        predictors: the models, as checked by `check_comparable`.
        task: the task of the models.
        fitted_on: examples on which weights are fitted.
        split: examples on which models are evaluated.

    Raises:
        ZooError: a split has no tokens.
    """
    data = predictors[0].data
    parts = []
    for texts in (fitted_on, split):
        log_probs = [
            np.concatenate([task.token_log_probs(predictor, text) for text in texts])
            for predictor in predictors
        ]
        indices = data.vocabulary.encode(token for text in texts for token in text.tokens)
        parts.append(ScoredText(tuple(data.vocabulary.decode(indices)), np.stack(log_probs)))
    if not all(part.tokens for part in parts):
        raise ZooError("There is no text: a split must have at least one token.")
    return ScoredSplits(tuple(names), data.start, *parts)


def _text_data(recipe: Recipe) -> RunningText:
    assert isinstance(recipe.data, RunningText)
    return recipe.data


def _check_same_tokens(name: str, data: RunningText, other_name: str, other: RunningText) -> None:
    """Check that the log-probabilities of two models can be compared.

    Raises:
        ZooError: they have other tokens.
    """
    kind, other_kind = data.tokenization, other.tokenization
    if kind != other_kind:
        raise ZooError(
            f"Models must have the same tokens. Received: {name} with {kind}s, and {other_name} with "
            f"{other_kind}s."
        )
    tokens, other_tokens = set(data.vocabulary.tokens), set(other.vocabulary.tokens)
    if odd := tokens ^ other_tokens:
        raise ZooError(
            f"Models must have the same vocabulary. Received: {name} with {len(tokens)} {kind}s and "
            f"{other_name} with {len(other_tokens)}; only one of them has {min(odd)!r}."
        )
