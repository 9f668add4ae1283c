"""The two definitions of context: a window around a word, and pairs of words near each other."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from zoo.common.core.errors import check_range
from zoo.language.embeddings.data import UNKNOWN_INDEX, ContextWindows
from zoo.language.whole_texts import TokenizedText


@dataclass(frozen=True)
class CenterWords(ContextWindows):
    """Each word of the vocabulary with `window` words on each side, including unknown ones."""

    def windows(
        self, indices: np.ndarray, generator: np.random.Generator | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the windows. The context is the words before and after, in order."""
        width = 2 * self.window + 1
        if len(indices) < width:
            return np.zeros((0, width - 1), np.int32), np.zeros(0, np.int32)
        windows = np.lib.stride_tricks.sliding_window_view(indices, width)
        windows = windows[windows[:, self.window] != UNKNOWN_INDEX]
        return np.delete(windows, self.window, axis=1), windows[:, self.window]

    def count_windows(self, indices: np.ndarray) -> float:
        return len(self.windows(indices, None)[1])

    def adapt(self, examples: list[TokenizedText], model: Any) -> tuple[ContextWindows, Any]:
        """Return the data with the vocabulary of the texts, and the model with both sizes."""
        data, model = super().adapt(examples, model)
        return data, replace(model, context=2 * self.window)


@dataclass(frozen=True)
class SkipGramPairs(ContextWindows):
    """Pairs of words near each other. The context is one word.

    Unknown words are removed from a text first. In each epoch, some occurrences of frequent words are
    removed too, and the window of each word has a random size from 1 to `window`, so that pairs of near
    words are more frequent than pairs of distant ones.

    Args:
        subsampling: threshold s of word2vec: an occurrence of a word with the frequency f is kept with a
            probability of sqrt(s / f) + s / f. At 0, all are kept.
    """

    subsampling: float = 1e-3

    def __post_init__(self):
        super().__post_init__()
        check_range("data.subsampling", self.subsampling, at_least=0, at_most=1)

    def windows(
        self, indices: np.ndarray, generator: np.random.Generator | None
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the pairs. In evaluation, each word has the whole window."""
        words = indices[indices != UNKNOWN_INDEX]
        sizes = np.full(len(words), self.window)
        if generator is not None:
            words = words[generator.random(len(words)) < self._keep()[words]]
            sizes = generator.integers(1, self.window, len(words), endpoint=True)
        contexts, others = [np.zeros(0, np.int32)], [np.zeros(0, np.int32)]
        for distance in range(1, min(self.window, len(words) - 1) + 1):
            before, after = words[:-distance], words[distance:]
            for context, other, size in (
                (before, after, sizes[:-distance]),
                (after, before, sizes[distance:]),
            ):
                contexts.append(context[size >= distance])
                others.append(other[size >= distance])
        return np.concatenate(contexts)[:, np.newaxis], np.concatenate(others)

    def count_windows(self, indices: np.ndarray) -> float:
        """Return the mean number of pairs: `window + 1` per kept word."""
        kept = self._keep()[indices[indices != UNKNOWN_INDEX]].sum()
        return float(kept) * (self.window + 1)

    def _keep(self) -> np.ndarray:
        """Return the probability that an occurrence of each word is kept, float64 [vocabulary]."""
        counts = np.maximum(np.array(self.vocabulary.counts, np.float64), 1)
        if not self.subsampling:
            return np.ones(len(counts))
        ratio = self.subsampling * counts[UNKNOWN_INDEX + 1 :].sum() / counts
        return np.minimum(1, np.sqrt(ratio) + ratio)
