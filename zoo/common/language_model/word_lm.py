"""Open ARPA files as language models for a word search, with KenLM and flashlight-text."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.language_model.arpa import read_arpa, read_words
from zoo.common.utils.quiet import silent_stderr

UNKNOWN = "<unk>"
# Special tokens of an ARPA file.
SPECIAL = ("<s>", "</s>", UNKNOWN, "<UNK>")
NATS_PER_LOG10 = math.log(10)  # KenLM's logarithms are to base 10


def flashlight(module: str) -> Any:
    """Import a module of flashlight-text.

    Args:
        module: name of the module, such as "decoder".

    Raises:
        ZooError: flashlight-text is not installed.
    """
    try:
        return importlib.import_module(f"flashlight.lib.text.{module}")
    except ImportError:
        raise ZooError(
            "Decoding with a language model, a lexicon or hot words needs flashlight-text, which is "
            "not installed: pip install 'recurrent-zoo[decoder]' (Python 3.11 or 3.12)"
        ) from None


def read_lm_words(path: Path) -> tuple[list[str], bool]:
    """Return the words of an ARPA file, and whether it has a probability for unknown words.

    Raises:
        ZooError: the file is missing or is not an ARPA file.
    """
    words = read_words(path)
    plain = [word for word in words if word not in SPECIAL]
    return plain, any(word in words for word in (UNKNOWN, "<UNK>"))


def open_lm(path: Path | None, words: Sequence[str]) -> Any:
    """Return the language model in an ARPA file as a flashlight-text `LM`.

    Args:
        path: the file. Without it, all words have the same score.
        words: the words, by the number that the search uses.

    Raises:
        ZooError: the file is corrupt.
    """
    if path is None:
        return flashlight("decoder").ZeroLM()
    dictionary = flashlight("dictionary").Dictionary()
    for word in (*words, UNKNOWN):
        dictionary.add_entry(word)
    dictionary.set_default_index(len(words))
    kenlm = flashlight("decoder.kenlm")
    try:
        with silent_stderr():  # hides KenLM's progress bar
            return kenlm.KenLM(str(path), dictionary)
    except RuntimeError as error:
        read_arpa(path)  # raises an error with the number of the invalid line
        reason = " ".join(str(error).splitlines()[-1].split())
        raise ZooError(f"KenLM cannot read {path}: {reason}") from None


def boost(lm: Any, weight: float, boosts: Mapping[int, float]) -> Any:
    """Return a language model with weighted scores in nats and boosts of some words.

    Args:
        lm: flashlight-text `LM`.
        weight: weight of its scores.
        boosts: boosts in nats by the number of a word.
    """
    base: Any = flashlight("decoder").LM

    class Boosted(base):
        def __init__(self):
            super().__init__()

        def start(self, start_with_nothing):
            return lm.start(start_with_nothing)

        def score(self, state, word):
            state, log_prob = lm.score(state, word)
            return state, weight * NATS_PER_LOG10 * log_prob + boosts.get(word, 0.0)

        def finish(self, state):
            state, log_prob = lm.finish(state)
            return state, weight * NATS_PER_LOG10 * log_prob

    return Boosted()


def score_sentence(lm: Any, words: Sequence[int]) -> float:
    """Return the log-probability of a sentence with its end in nats.

    Args:
        lm: flashlight-text `LM`.
        words: the words by number.
    """
    state, total = lm.start(False), 0.0
    for word in words:
        state, log_prob = lm.score(state, word)
        total += log_prob
    return NATS_PER_LOG10 * (total + lm.finish(state)[1])
