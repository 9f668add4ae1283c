"""N-gram language models with back-off: counted with Kneser-Ney smoothing, or read from an ARPA file.

Interpolated modified Kneser-Ney: Chen & Goodman, "An empirical study of smoothing techniques for
language modeling" (1999), section 3. `zoo.common.language_model.arpa` reads and writes files.

Words are indices. `END` is the end of a sentence where it is predicted, and the start of the next one
in a history: no n-gram goes across it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

END = 0

# The discounts of counts 1, 2 and from 3 on where a corpus is too small to give them (as of KenLM).
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
# Digits of a logarithm after the point, in memory as in a file: what is read back is the same model.
DIGITS = 7


@dataclass(frozen=True)
class NGrams:
    """The n-grams of one order, sorted by key.

    keys: int64 [n-grams]. The index of all words but the last among the n-grams of the order below,
        times the size of the vocabulary, plus the last word. Of order 1, the word itself.
    log_probs: float64 [n-grams]. Logarithms to base 10 of the last word's probability after the others.
    backoffs: float64 [n-grams]. Logarithms to base 10 of what a probability of the order below is
        multiplied by where this n-gram is the history, and has not been seen with the next word.
    """

    keys: np.ndarray
    log_probs: np.ndarray
    backoffs: np.ndarray


@dataclass(frozen=True)
class NGramModel:
    """A back-off model.

    words: tuple of str. The vocabulary; the name of `END` is "</s>".
    orders: tuple of NGrams, from 1 on. Every word has a unigram; that of `END` has the probability of a
        sentence's end and the back-off of its start.
    """

    words: tuple[str, ...]
    orders: tuple[NGrams, ...]

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""
        return len(self.orders)

    def find(self, order: int, prefixes: np.ndarray, words: np.ndarray) -> np.ndarray:
        """Return the indices of n-grams of an order, -1 where there is none.

        Args:
            order: from 1 on.
            prefixes: int64 [...]. Indices of the n-grams of the order below that they begin with, -1
                where there is none. Not used for order 1.
            words: int64 [...]. Their last words.
        """
        if order == 1:
            return words.astype(np.int64)
        keys = self.orders[order - 1].keys
        if not len(keys):
            return np.full_like(prefixes, -1)
        wanted = prefixes * len(self.words) + words
        indices = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        return np.where((prefixes >= 0) & (keys[indices] == wanted), indices, -1)

    def log_probs(self, tokens: np.ndarray, history: np.ndarray) -> np.ndarray:
        """Return the log-probability of every word after each token, in nats.

        Args:
            tokens: int [rows, time]. history: int [rows, order - 1]. The tokens before, `END` where a
                text begins.

        Returns:
            float32 [rows, time, vocabulary].
        """
        contexts = [ids[:, history.shape[1] :].ravel() for ids in self._ids(history, tokens)]
        rest = self._rest(contexts)
        logs = np.add.outer(rest[0], self.orders[0].log_probs, dtype=np.float32)
        for ngrams, context, backoff in zip(self.orders[1:], contexts, rest[1:], strict=False):
            seen = np.flatnonzero(context >= 0)
            first = np.searchsorted(ngrams.keys, context[seen] * len(self.words))
            end = np.searchsorted(ngrams.keys, (context[seen] + 1) * len(self.words))
            rows, indices = _ranges(seen, first, end)
            words = ngrams.keys[indices] % len(self.words)
            logs[rows, words] = ngrams.log_probs[indices] + backoff[rows]
        logs *= math.log(10)
        return logs.reshape(*tokens.shape, len(self.words))

    def score(self, tokens: np.ndarray) -> np.ndarray:
        """Return the log-probability of each token of a text after those before it, in nats.

        Args:
            tokens: int [length]. Sentences, `END` after each.

        Returns:
            float64 [length].
        """
        text = np.concatenate([[END], tokens])[np.newaxis]
        ids = [of_order[0] for of_order in self._ids(text[:, :0], text)]
        rest = self._rest([of_order[:-1] for of_order in ids])
        logs = self.orders[0].log_probs[tokens] + rest[0]
        for ngrams, index, backoff in zip(self.orders[1:], ids[1:], rest[1:], strict=True):
            seen = np.flatnonzero(index[1:] >= 0)
            logs[seen] = ngrams.log_probs[index[1:][seen]] + backoff[seen]
        return logs * math.log(10)

    def _ids(self, history: np.ndarray, tokens: np.ndarray) -> list[np.ndarray]:
        """For each order, int64 [rows, history and time]: the n-gram that ends at each token, or -1."""
        tokens = np.concatenate([history, tokens], axis=1).astype(np.int64)
        ids = [self.find(1, tokens, tokens)]
        for order in range(2, self.order + 1):
            prefixes = np.full_like(tokens, -1)
            prefixes[:, 1:] = ids[-1][:, :-1]
            ids.append(self.find(order, prefixes, tokens))
        return ids

    def _rest(self, contexts: list[np.ndarray]) -> list[np.ndarray]:
        """For each order, float64 [positions]: the back-offs of all histories of that length and more,
        which an n-gram of that order pays where no longer one was seen."""
        rest = [np.zeros(len(contexts[0]))]
        for length in range(self.order - 1, 0, -1):
            context = contexts[length - 1]
            backoffs = np.append(self.orders[length - 1].backoffs, 0.0)  # -1: no such history
            rest.insert(0, rest[0] + backoffs[context])
        return rest


def count_ngrams(texts: Iterable[np.ndarray], order: int, words: tuple[str, ...]) -> NGramModel:
    """Return the interpolated modified Kneser-Ney model of texts.

    Args:
        texts: int [length] each. Sentences, `END` after each; a text's last may lack it.
        order: the length of the longest n-grams. words: the vocabulary.
    """
    counted = _count(_join(texts), order, len(words))
    log_probs, backoffs = [], []
    below = np.full(len(words), 1 / len(words))  # unigrams are interpolated with all words alike
    for keys, counts, suffixes in counted:
        histories = keys // len(words)
        discounts = np.array([0.0, *_discounts(counts)])[np.minimum(counts, 3)]
        totals = np.bincount(histories, counts)
        left = np.bincount(histories, discounts) / np.maximum(totals, 1)
        if log_probs:
            backoffs.append(np.zeros(len(log_probs[-1])))
            used = np.unique(histories)
            backoffs[-1][used] = _log10(left[used])
        below = (counts - discounts) / totals[histories] + left[histories] * below[suffixes]
        log_probs.append(_log10(below))
    backoffs.append(np.zeros(len(below)))
    keys = (of_order[0] for of_order in counted)
    return NGramModel(words, tuple(map(NGrams, keys, log_probs, backoffs)))


def _join(texts: Iterable[np.ndarray]) -> np.ndarray:
    """All texts as one, int64, `END` before the first sentence and after each."""
    parts = [np.array([END])]
    for text in texts:
        parts += [text] if len(text) and text[-1] == END else [text, parts[0]]
    return np.concatenate(parts).astype(np.int64)


def _count(text: np.ndarray, order: int, vocabulary_size: int) -> list[list[np.ndarray]]:
    """For each order: the keys of its n-grams; how often each stands in the text or, below the highest
    order, after how many different words; the index of each without its first word, in the order below.

    One that begins a sentence stands after nothing: how often it stands there is its count.
    """
    words = np.arange(vocabulary_size)
    counted = [[words, np.bincount(text[1:], minlength=vocabulary_size), words]]
    # At each position, the index of the n-gram that ends there, and whether a longer one may go on.
    ends, goes_on = text, np.ones(len(text), bool)
    for _ in range(1, order):
        position = np.flatnonzero(goes_on[:-1]) + 1
        keys, first, indices, counts = np.unique(
            ends[position - 1] * vocabulary_size + text[position],
            return_index=True,
            return_inverse=True,
            return_counts=True,
        )
        suffixes = ends[position[first]]
        before = np.bincount(suffixes, minlength=len(counted[-1][0]))
        counted[-1][1] = np.where(before > 0, before, counted[-1][1])
        counted.append([keys, counts, suffixes])
        ends, goes_on = np.full(len(text), -1), np.zeros(len(text), bool)
        ends[position] = indices
        goes_on[position] = text[position] != END
    return counted


def _discounts(counts: np.ndarray) -> tuple[float, ...]:
    """What counts of 1, 2, and 3 or more are lowered by (Chen & Goodman 1999, equation 26)."""
    n1, n2, n3, n4 = (int(np.sum(counts == count)) for count in (1, 2, 3, 4))
    if not (n1 and n2 and n3 and n4):
        return FALLBACK_DISCOUNTS
    y = n1 / (n1 + 2 * n2)
    discounts = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return discounts if min(discounts) > 0 else FALLBACK_DISCOUNTS


def _log10(probabilities: np.ndarray) -> np.ndarray:
    return np.round(np.log10(probabilities), DIGITS)


def _ranges(rows: np.ndarray, first: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(row, index) of every index from `first` to before `end` of each row, int64 [all of them]."""
    sizes = end - first
    offsets = np.repeat(first - np.cumsum(sizes) + sizes, sizes)
    return np.repeat(rows, sizes), np.arange(sizes.sum()) + offsets
