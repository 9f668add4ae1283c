"""The probabilities that several language models give to the same text, token by token."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.cli.evaluate import find_or_train
from zoo.cli.sources import find_source, read_split
from zoo.common.core import registry
from zoo.common.core.errors import ZooError
from zoo.common.core.recipe import Recipe
from zoo.common.language_model.mixture import fit_weights, mix, perplexity
from zoo.common.presets import store
from zoo.common.tasks.language_modelling import LanguageModelling

# What the weights of a mixture are fitted on, as the epoch of a run is chosen.
FITTED_ON = "dev"


@dataclass(frozen=True)
class ScoredText:
    """A text with what each model gives to it.

    tokens: tuple of str, as the models know them: others are the unknown token.
    log_probs: float64 [models, tokens], in nats.
    """

    tokens: tuple[str, ...]
    log_probs: np.ndarray


@dataclass(frozen=True)
class ScoredSplits:
    """What several models give to the tokens of a corpus.

    names: tuple of str. The models, as they were named.
    corpus: str. Of which corpus, or list, the text is.
    start: str. The token that ends a line.
    fitted_on, split: ScoredText. What weights are fitted on, and what is measured.
    """

    names: tuple[str, ...]
    corpus: str
    start: str
    fitted_on: ScoredText
    split: ScoredText

    def mixture(self, models: Sequence[int]) -> dict[str, Any]:
        """Return the mixture of some of the models, JSON-ready: names, weights, perplexity."""
        weights = fit_weights(self.fitted_on.log_probs[list(models)])
        mixed = mix(self.split.log_probs[list(models)], weights)
        return {
            "models": [self.names[i] for i in models],
            "weights": [round(float(weight), 6) for weight in weights],
            "perplexity": round(perplexity(mixed), 6),
        }

    def perplexities(self) -> list[dict[str, Any]]:
        """Return each model alone, JSON-ready."""
        return [
            {"model": name, "perplexity": round(perplexity(log_probs), 6)}
            for name, log_probs in zip(self.names, self.split.log_probs, strict=True)
        ]


def score_splits(
    names: Sequence[str], data: Path | None, manifest: Path | None, split: str
) -> ScoredSplits:
    """Let language models read dev and a split, the state of each carried over the whole text.

    Args:
        names: of presets, or folders of runs, of one tokenization and one vocabulary. A registered
            recipe whose preset does not travel is trained first, as `zoo evaluate` does.
        data, manifest, split: as of `zoo.cli.evaluate.evaluate`.

    Raises:
        ZooError: fewer than two models, one that is no language model, models that read other tokens,
            or no such split.
    """
    from zoo.common.runtime import open_graphs

    if len(names) < 2:
        raise ZooError(f"There must be two models or more. Received: {', '.join(names)}.")
    folders = [store.find(find_or_train(name, data)) for name in names]
    recipes = [store.load_recipe(folder) for folder in folders]
    for name, recipe in zip(names, recipes, strict=True):
        if not isinstance(recipe.task, LanguageModelling):
            raise ZooError(f"{name} is no language model: it gives no probability to tokens.")
        _check_same_tokens(names[0], recipes[0], name, recipe)
    corpus = registry.entry(recipes[0].name).corpus
    source = find_source(data, manifest, corpus)
    examples = {part: read_split(recipes[0], corpus, source, part) for part in (FITTED_ON, split)}
    log_probs: dict[str, list[np.ndarray]] = {part: [] for part in examples}
    for folder, recipe in zip(folders, recipes, strict=True):
        graphs = open_graphs("keras", folder)
        for part, texts in examples.items():
            read = [recipe.task.token_log_probs(graphs, recipe, text) for text in texts]
            log_probs[part].append(np.concatenate(read))
    vocabulary = recipes[0].data.vocabulary
    scored = {}
    for part, texts in examples.items():
        indices = vocabulary.encode(token for text in texts for token in text.tokens)
        scored[part] = ScoredText(tuple(vocabulary.decode(indices)), np.stack(log_probs[part]))
    if not scored[FITTED_ON].tokens or not scored[split].tokens:
        raise ZooError("There is no text to read: a split must have one token at least.")
    name = corpus.name if source.folder else str(manifest)
    return ScoredSplits(tuple(names), name, recipes[0].data.start, scored[FITTED_ON], scored[split])


def _check_same_tokens(name: str, recipe: Recipe, other_name: str, other: Recipe) -> None:
    """Raise `ZooError` where what two models give to a token cannot be compared."""
    kinds = [r.data.tokenization for r in (recipe, other)]
    if kinds[0] != kinds[1]:
        raise ZooError(
            f"Models must read the same tokens. Received: {name}, which reads {kinds[0]}s, and "
            f"{other_name}, which reads {kinds[1]}s."
        )
    tokens, other_tokens = (set(r.data.vocabulary.tokens) for r in (recipe, other))
    if odd := tokens ^ other_tokens:
        raise ZooError(
            f"Models must have the same vocabulary. Received: {name} with {len(tokens)} {kinds[0]}s "
            f"and {other_name} with {len(other_tokens)}; {min(odd)!r}, for one, is in one alone."
        )
