"""Choose the weight of a language model and the bonus of a word by the error rate on examples."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.core.predictor import Predictor
from zoo.common.core.recipe import Recipe
from zoo.common.decoding.decoders import CTCSearch
from zoo.common.metrics.error_rates import error_rates
from zoo.common.tasks.ctc import CTC
from zoo.common.utils.progress import progress

# The first settings: weights, and bonuses in nats. The next ones are around the best, by these steps.
WEIGHTS = (0.0, 0.25, 0.5, 1.0, 1.5, 2.5)
BONUSES = (-1.0, 1.0, 3.0)
STEPS = ((0.25, 1.0), (0.125, 0.5))

Setting = tuple[float, float]


@dataclass(frozen=True)
class Tuned:
    """Result of a search for the best setting.

    Args:
        best: the decoder with the best weight and bonus.
        greedy: error rates of the most probable path, without a search.
        trials: each setting with its error rates, the best one first.
    """

    best: CTCSearch
    greedy: dict[str, float]
    trials: list[dict[str, float]]


def check_tunable(recipe: Recipe) -> tuple[CTC, CTCSearch]:
    """Return the task and the decoder of a recipe that decodes with a language model.

    Raises:
        ZooError: it does not.
    """
    task, decoder = recipe.task, recipe.decoder
    if not isinstance(task, CTC) or not isinstance(decoder, CTCSearch):
        raise ZooError(f"{recipe.name} does not decode with a language model of words.")
    if decoder.lm is None:
        raise ZooError("lm must be given: the language model whose weight is tuned.")
    return task, decoder


def tune(task: CTC, predictor: Predictor, examples: list[Any]) -> Tuned:
    """Return the `lm_weight` and `word_bonus` with the lowest error rate.

    The model runs once; each setting searches the same logits.

    Args:
        task: the task.
        predictor: the trained model. Its decoder has a language model.
        examples: the examples on which error rates are measured.

    Raises:
        ZooError: the decoder cannot be used, or an example cannot be read.
    """
    decoder, labels = predictor.decoder, predictor.data.labels
    task.check_predictor(predictor)
    errors: dict[int, str] = {}
    logits = dict(task.logits(predictor, examples, errors))
    if errors:
        raise ZooError(f"All examples must be readable. Received: {next(iter(errors.values()))}")

    def rates(search: CTCSearch) -> dict[str, float]:
        texts = [task.text(logits[i], search, labels) for i in range(len(examples))]
        return error_rates(examples, texts, texts, task.monitor)[0]

    trials: dict[Setting, dict[str, float]] = {}

    def order(setting: Setting) -> tuple[float, ...]:
        # Of equal settings, the one with smaller numbers: it relies more on the model.
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
