"""The weight of a language model and the bonus of a word, chosen by the error rate on examples."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.core.model import Graphs
from zoo.common.core.recipe import Recipe
from zoo.common.decoding.decoders import CTCSearch
from zoo.common.metrics.error_rates import error_rates
from zoo.common.tasks.ctc import CTC
from zoo.common.utils.progress import progress

# What is tried first: weights, and bonuses in nats. Then what lies around the best, by these steps.
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.5)
BONUSES = (-1.0, 1.0, 3.0)
STEPS = ((0.25, 1.0), (0.125, 0.5))

Setting = tuple[float, float]


@dataclass(frozen=True)
class Tuned:
    """What a search for the best settings found.

    best: CTCSearch. The decoder with the best weight and bonus.
    greedy: dict. The error rates of the likeliest path, without a search.
    trials: list of dict. Each setting with its error rates, the best first.
    """

    best: CTCSearch
    greedy: dict[str, float]
    trials: list[dict[str, float]]


def tune(graphs: Graphs, recipe: Recipe, examples: list[Any]) -> Tuned:
    """Return the `lm_weight` and `word_bonus` with which a CTC recipe's decoder errs least.

    The model runs once; its logits are searched with each setting.

    Args:
        recipe: its decoder has a language model.

    Raises:
        ZooError: the recipe is not of CTC, its decoder has no language model or cannot be used, or no
            example can be read.
    """
    decoder, task = recipe.decoder, recipe.task
    if not isinstance(task, CTC):
        raise ZooError(f"{recipe.name} decodes without a language model of words.")
    if decoder.lm is None:
        raise ZooError("lm must be given: the language model whose weight is searched for.")
    task.check_decoder(recipe)
    logits = dict(task.logits(graphs, recipe, examples, errors := {}))
    if errors:
        raise ZooError(f"All examples must be readable. Received: {next(iter(errors.values()))}")

    def rates(search: CTCSearch) -> dict[str, float]:
        changed = replace(recipe, decoder=search)
        texts = [task.text(logits[i], changed) for i in range(len(examples))]
        return error_rates(examples, texts, texts, task.metric)[0]

    trials: dict[Setting, dict[str, float]] = {}

    def order(setting: Setting) -> tuple[float, ...]:
        # Of equal settings the one with the smaller numbers: it trusts the model more.
        return (*trials[setting].values(), *map(abs, setting))

    for steps in (None, *STEPS):
        if steps is None:
            settings = set(itertools.product(WEIGHTS, BONUSES))
        else:
            best = min(trials, key=order)
            sides = [(at - step, at, at + step) for at, step in zip(best, steps, strict=True)]
            settings = {(max(weight, 0.0), bonus) for weight, bonus in itertools.product(*sides)}
        new = sorted(settings - trials.keys())
        for weight, bonus in progress(new, "tuning", len(new), "setting"):
            trials[weight, bonus] = rates(replace(decoder, lm_weight=weight, word_bonus=bonus))
    rows = [
        {"lm_weight": setting[0], "word_bonus": setting[1], **trials[setting]}
        for setting in sorted(trials, key=order)
    ]
    weight, bonus = min(trials, key=order)
    chosen = replace(decoder, lm_weight=weight, word_bonus=bonus)
    return Tuned(chosen, rates(CTCSearch()), rows)
