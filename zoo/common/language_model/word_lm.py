"""Language models of words for a search: KenLM, and flashlight-text around it, from an ARPA file."""

from __future__ import annotations

import importlib
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from zoo.common.core.errors import ZooError
from zoo.common.language_model.arpa import read_arpa, read_words
from zoo.common.utils.quiet import descriptor_2_elsewhere

UNKNOWN = "<unk>"
# Words of an ARPA file that stand for no word.
SPECIAL = ("<s>", "</s>", UNKNOWN, "<UNK>")
NATS = math.log(10)  # KenLM's logarithms are to base 10


def flashlight(module: str) -> Any:
    """Return a module of flashlight-text, such as "decoder".

    Raises:
        ZooError: it is not installed, with the command that installs it.
    """
    try:
        return importlib.import_module(f"flashlight.lib.text.{module}")
    except ImportError:
        raise ZooError(
            "Decoding with a language model, a lexicon or hot words needs flashlight-text, which is "
            "not installed: pip install 'recurrent-zoo[decoder]' (Python 3.11 or 3.12)"
        ) from None


def read_lm_words(path: Path) -> tuple[list[str], bool]:
    """Return the words of an ARPA file, and whether it has a probability for unknown ones.

    Raises:
        ZooError: it is missing, or is no ARPA file.
    """
    words = read_words(path)
    plain = [word for word in words if word not in SPECIAL]
    return plain, any(word in words for word in (UNKNOWN, "<UNK>"))


def open_lm(path: Path | None, words: Sequence[str]) -> Any:
    """Return the language model in an ARPA file as flashlight-text's `LM`.

    Args:
        path: None for a model that gives every word the same.
        words: the model knows each by its place here.

    Raises:
        ZooError: the file is corrupt, naming the line.
    """
    if path is None:
        return flashlight("decoder").ZeroLM()
    dictionary = flashlight("dictionary").Dictionary()
    for word in (*words, UNKNOWN):
        dictionary.add_entry(word)
    dictionary.set_default_index(len(words))
    kenlm = flashlight("decoder.kenlm")
    try:
        with descriptor_2_elsewhere():  # where it draws a progress bar
            return kenlm.KenLM(str(path), dictionary)
    except RuntimeError as error:
        read_arpa(path)  # which names the bad line
        reason = " ".join(str(error).splitlines()[-1].split())
        raise ZooError(f"{path} cannot be read by KenLM: {reason}") from None


def boost(lm: Any, weight: float, boosts: Mapping[int, float]) -> Any:
    """Return a language model whose scores are in nats, weighted, with something added to some words.

    Args:
        lm: flashlight-text's `LM`. weight: of its scores.
        boosts: in nats, by the number of a word.
    """

    class Boosted(flashlight("decoder").LM):
        def __init__(self):
            super().__init__()

        def start(self, start_with_nothing):
            return lm.start(start_with_nothing)

        def score(self, state, word):
            state, log_prob = lm.score(state, word)
            return state, weight * NATS * log_prob + boosts.get(word, 0.0)

        def finish(self, state):
            state, log_prob = lm.finish(state)
            return state, weight * NATS * log_prob

    return Boosted()


def score_sentence(lm: Any, words: Sequence[int]) -> float:
    """Return the log-probability of a sentence with its end, in nats."""
    state, total = lm.start(False), 0.0
    for word in words:
        state, log_prob = lm.score(state, word)
        total += log_prob
    return NATS * (total + lm.finish(state)[1])
