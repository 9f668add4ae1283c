"""Rescoring: reorder the texts of a search by another language model.

For each text, rescoring adds to the score of the search, or to the log-probability if the search was not
a word search,

    rescore_weight * log P(text) + word_bonus * words

in nats. The score of a word search already includes the bonus. P is given by any preset whose task is
language modelling, and includes the end of the line. The probability of the unknown token is divided by
the size of the vocabulary; otherwise an unknown word would be more probable than a rare one. Ostendorf
et al., "Integration of diverse recognition methodologies through reevaluation of n-best sentence
hypotheses" (1991).
"""

from __future__ import annotations

import functools
import math
from typing import NamedTuple

from zoo.common.core.errors import ZooError
from zoo.common.ctc.words import Transcription
from zoo.common.decoding.decoders import CTCSearch
from zoo.common.presets import store
from zoo.common.runtime import AUTO, open_graphs
from zoo.common.tasks.language_modelling import LanguageModelling
from zoo.common.tasks.text_data import TextData, TextModel


class Rescorer(NamedTuple):
    """A language model: its task, and its predictor."""

    task: LanguageModelling
    predictor: TextModel


# The last one is kept, since the answers to many inputs are rescored by the same model.
@functools.lru_cache(maxsize=1)
def open_language_model(preset: str) -> Rescorer:
    """Return the language model of a preset or run.

    Raises:
        ZooError: there is no such preset, it is damaged, or it is not a language model.
    """
    folder = store.find(preset)
    recipe = store.load_recipe(folder)
    if not isinstance(recipe.task, LanguageModelling):
        raise ZooError(f"rescore must name a language model. Received: {preset}.")
    return Rescorer(recipe.task, recipe.predictor(open_graphs(AUTO, folder)))


def rescore(found: list[Transcription], decoder: CTCSearch) -> list[Transcription]:
    """Return texts in the order of their new scores, the best first.

    Args:
        found: at least one text.
        decoder: its `rescore` names the language model.

    Raises:
        ZooError: as `open_language_model`.
    """
    if decoder.rescore is None:
        return found
    model, predictor = open_language_model(decoder.rescore)
    data = predictor.data
    lines = [match_case(data, one.text) for one in found]
    log_probs = model.line_log_probs(predictor, lines).tolist()
    share = math.log(len(data.vocabulary))
    rows = []
    for one, line, log_prob in zip(found, lines, log_probs, strict=True):
        log_prob -= share * _count_unknown(data, line)
        before = one.scores.get("score")
        if before is None:
            before = one.scores["log_probability"] + decoder.word_bonus * len(one.words)
        new = {
            "score": before + decoder.rescore_weight * log_prob,
            "rescore_log_probability": log_prob,
        }
        rows.append(one._replace(scores={**one.scores, **new}))
    return sorted(rows, key=lambda one: -one.scores["score"])


def _count_unknown(data: TextData, line: str) -> int:
    return sum(token not in data.vocabulary for token in data.split_tokens(line))


def match_case(data: TextData, text: str) -> str:
    """Return a text with each word in the case that is in a language model's vocabulary.

    A recognizer may write HELLO where the language model has hello. A word without such a case is
    unchanged.
    """

    def known(word: str) -> bool:
        return all(token in data.vocabulary for token in data.split_tokens(word))

    def in_case(word: str) -> str:
        return next((form for form in (word, word.lower(), word.upper()) if known(form)), word)

    return " ".join(map(in_case, text.split()))
