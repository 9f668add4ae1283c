"""N-gram language models with back-off and Kneser-Ney smoothing.

Interpolated modified Kneser-Ney smoothing: Chen & Goodman, "An empirical study of smoothing techniques
for language modeling" (1999), section 3. `zoo.common.language_model.arpa` reads and writes files.

Words are indices. `END` is the end of a sentence if it is predicted, and the start of the next sentence
in a history. No n-gram crosses it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

END = 0

# Discounts of the counts 1, 2, and 3 or more for a corpus that is too small to estimate them (as KenLM).
FALLBACK_DISCOUNTS = (0.5, 1.0, 1.5)
# Decimal places of a logarithm in memory and in files, so that a model read from a file is identical.
DIGITS = 7


@dataclass(frozen=True)
class NGrams:
    """The n-grams of one order, sorted by key.

    Args:
        keys: int64 [n-grams]. For order 1, the word. For higher orders, the index of the n-gram without
            its last word among the n-grams of the order below, times the size of the vocabulary, plus
            the last word.
        log_probs: float64 [n-grams], logarithms to base 10 of the probability of the last word after the
            others.
        backoffs: float64 [n-grams], logarithms to base 10 of the back-off weight: the factor of a
            probability of the order below, if this n-gram is the history and the next word was not
            counted after it.
    """

    keys: np.ndarray
    log_probs: np.ndarray
    backoffs: np.ndarray


@dataclass(frozen=True)
class NGramModel:
    """A back-off model.

    Args:
        words: the vocabulary. The word of `END` is "</s>".
        orders: the n-grams of each order, from 1 on. Every word has a unigram. The unigram of `END` has
            the probability of the end of a sentence and the back-off weight of its start.
    """

    words: tuple[str, ...]
    orders: tuple[NGrams, ...]

    @property
    def order(self) -> int:
        """The length of the longest n-grams."""
        return len(self.orders)

    def find(self, order: int, prefixes: np.ndarray, words: np.ndarray) -> np.ndarray:
        """Return the indices of n-grams of one order, -1 for n-grams that do not exist.

        Args:
            order: the order, from 1 on.
            prefixes: int64 [...], for each n-gram the index of all words but the last among the n-grams
                of the order below, -1 if it does not exist. Not used for order 1.
            words: int64 [...], the last word of each n-gram.

        Returns:
            int64 [...].
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
        """Return the log-probability of every word after each token in nats.

        Args:
            tokens: int [rows, time].
            history: int [rows, order - 1], the tokens before `tokens`, `END` before the start of a text.

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
        """Return the log-probability of each token of a text after the tokens before it in nats.

        Args:
            tokens: int [tokens], sentences with `END` after each.

        Returns:
            float64 [tokens].
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
        """Return for each order the n-gram that ends at each token, or -1.

        Returns:
            int64 [rows, history + time] for each order.
        """
        tokens = np.concatenate([history, tokens], axis=1).astype(np.int64)
        ids = [self.find(1, tokens, tokens)]
        for order in range(2, self.order + 1):
            prefixes = np.full_like(tokens, -1)
            prefixes[:, 1:] = ids[-1][:, :-1]
            ids.append(self.find(order, prefixes, tokens))
        return ids

    def _rest(self, contexts: list[np.ndarray]) -> list[np.ndarray]:
        """Return for each order n the sum of the back-offs of all histories of length n and more.

        A word whose longest counted n-gram has order n gets this sum in addition to its log-probability.

        Returns:
            float64 [positions] for each order.
        """
        rest = [np.zeros(len(contexts[0]))]
        for length in range(self.order - 1, 0, -1):
            context = contexts[length - 1]
            backoffs = np.append(self.orders[length - 1].backoffs, 0.0)  # index -1: no history
            rest.insert(0, rest[0] + backoffs[context])
        return rest


def count_ngrams(texts: Iterable[np.ndarray], order: int, words: tuple[str, ...]) -> NGramModel:
    """Return the interpolated modified Kneser-Ney model of texts.

    Args:
        texts: int [tokens] each, sentences with `END` after each. The last `END` of a text is optional.
        order: length of the longest n-grams.
        words: the vocabulary.
    """
    counted = _count(_join(texts), order, len(words))
    log_probs: list[np.ndarray] = []
    backoffs: list[np.ndarray] = []
    below = np.full(len(words), 1 / len(words))  # the uniform distribution
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
    all_keys = (of_order[0] for of_order in counted)
    return NGramModel(words, tuple(map(NGrams, all_keys, log_probs, backoffs)))


def _join(texts: Iterable[np.ndarray]) -> np.ndarray:
    """Return the concatenated texts, int64, with `END` before the first sentence and after each."""
    parts = [np.array([END])]
    for text in texts:
        parts += [text] if len(text) and text[-1] == END else [text, parts[0]]
    return np.concatenate(parts).astype(np.int64)


def _count(text: np.ndarray, order: int, vocabulary_size: int) -> list[list[np.ndarray]]:
    """Count the n-grams of each order.

    Returns:
        For each order three arrays: the keys of the n-grams; their counts; and for each n-gram the index
        of all words but the first among the n-grams of the order below. In the highest order, a count is
        the number of occurrences. In lower orders, it is the number of different words before the
        n-gram, or the number of occurrences if the n-gram begins a sentence.
    """
    words = np.arange(vocabulary_size)
    counted = [[words, np.bincount(text[1:], minlength=vocabulary_size), words]]
    # For each position, the index of the n-gram that ends there, and whether a longer one may follow.
    ends, extends = text, np.ones(len(text), bool)
    for _ in range(1, order):
        position = np.flatnonzero(extends[:-1]) + 1
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
        ends, extends = np.full(len(text), -1), np.zeros(len(text), bool)
        ends[position] = indices
        extends[position] = text[position] != END
    return counted


def _discounts(counts: np.ndarray) -> tuple[float, ...]:
    """Return the discounts of the counts 1, 2, and 3 or more (Chen & Goodman 1999, equation 26)."""
    n1, n2, n3, n4 = (int(np.sum(counts == count)) for count in (1, 2, 3, 4))
    if not (n1 and n2 and n3 and n4):
        return FALLBACK_DISCOUNTS
    y = n1 / (n1 + 2 * n2)
    discounts = (1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
    return discounts if min(discounts) > 0 else FALLBACK_DISCOUNTS


def _log10(probabilities: np.ndarray) -> np.ndarray:
    return np.round(np.log10(probabilities), DIGITS)


def _ranges(rows: np.ndarray, first: np.ndarray, end: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows and the indices of all indices from `first` to `end` - 1 of each row.

    Args:
        rows: int64 [rows].
        first: int64 [rows].
        end: int64 [rows].

    Returns:
        Two int64 arrays [indices].
    """
    sizes = end - first
    offsets = np.repeat(first - np.cumsum(sizes) + sizes, sizes)
    return np.repeat(rows, sizes), np.arange(sizes.sum()) + offsets
