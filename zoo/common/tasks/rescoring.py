"""Rescoring: texts that a search found, put in a new order by a language model that it did not have.

Of each text it adds to the score of the search, or to the log-probability where there was no search for
words,

    rescore_weight * log P(text) + word_bonus * words

in nats; the bonus of a search for words is in its score already. P is of any preset whose task is
language modelling, with the end of the line. What it gives to an unknown token is shared by as many
words as it knows, or a word that is none would be likelier than a rare one. Ostendorf et al.,
"Integration of diverse recognition methodologies through reevaluation of n-best sentence hypotheses"
(1991).
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

from zoo.common.core.errors import ZooError
from zoo.common.ctc.words import Transcription
from zoo.common.presets import store
from zoo.common.runtime import AUTO, open_graphs
from zoo.common.tasks.language_modelling import LanguageModelling

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe
    from zoo.common.decoding.decoders import CTCSearch


# One is kept: the answers to many inputs are rescored by the same model.
@functools.lru_cache(maxsize=1)
def open_language_model(preset: str) -> tuple[Recipe, Graphs]:
    """Return the recipe and the graphs of a preset, or run, that gives probabilities to texts.

    Raises:
        ZooError: there is none, it is damaged, or it is no language model.
    """
    folder = store.find(preset)
    recipe = store.load_recipe(folder)
    if not isinstance(recipe.task, LanguageModelling):
        raise ZooError(f"rescore must name a language model. Received: {preset}, which is none.")
    return recipe, open_graphs(AUTO, folder)


def rescore(found: list[Transcription], decoder: CTCSearch) -> list[Transcription]:
    """Return texts in the order of their new scores, the best first.

    Args:
        found: at least one. decoder: its `rescore` names the language model.

    Raises:
        ZooError: as `open_language_model`.
    """
    recipe, graphs = open_language_model(decoder.rescore)
    lines = [in_case_of(recipe.data, one.text) for one in found]
    log_probs = recipe.task.line_log_probs(graphs, recipe, lines).tolist()
    share = math.log(len(recipe.data.vocabulary))
    rows = []
    for one, line, log_prob in zip(found, lines, log_probs, strict=True):
        log_prob -= share * _count_unknown(recipe.data, line)
        before = one.scores.get("score")
        if before is None:
            before = one.scores["log_probability"] + decoder.word_bonus * len(one.words)
        new = {
            "score": before + decoder.rescore_weight * log_prob,
            "rescore_log_probability": log_prob,
        }
        rows.append(one._replace(scores={**one.scores, **new}))
    return sorted(rows, key=lambda one: -one.scores["score"])


def _count_unknown(data: Any, line: str) -> int:
    return sum(token not in data.vocabulary for token in data.split_tokens(line))


def in_case_of(data: Any, text: str) -> str:
    """Return a text with each word in the case in which a language model's data knows it.

    A recogniser may write HELLO where the language model read hello. A word that is known in no case
    stays as it is.
    """

    def known(word: str) -> bool:
        return all(token in data.vocabulary for token in data.split_tokens(word))

    def in_case(word: str) -> str:
        return next((form for form in (word, word.lower(), word.upper()) if known(form)), word)

    return " ".join(map(in_case, text.split()))
