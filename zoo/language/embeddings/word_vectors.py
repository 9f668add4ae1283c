"""Word vectors: nearest words and analogies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True)
class WordVectors:
    """Words and their vectors.

    Args:
        words: the words, the most frequent first.
        vectors: float32 [words, size].
    """

    words: tuple[str, ...]
    vectors: np.ndarray

    @cached_property
    def index(self) -> dict[str, int]:
        """Return the row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @cached_property
    def unit(self) -> np.ndarray:
        """Return the vectors scaled to length 1, float32 [words, size]."""
        lengths = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        return self.vectors / np.maximum(lengths, 1e-12)

    def cosine(self, word: str, other: str) -> float:
        """Return the cosine of the vectors of two words."""
        return float(self.unit[self.index[word]] @ self.unit[self.index[other]])

    def neighbours(self, word: str, count: int) -> list[dict[str, Any]]:
        """Return the words with the largest cosines with a word, except the word itself.

        Args:
            word: a word that has a vector.
            count: number of neighbours.

        Returns:
            `{"word", "similarity"}` of each neighbour, the nearest first.
        """
        return self._best(self.unit[self.index[word]], [word], count)

    def analogy(self, a: str, b: str, c: str, count: int) -> list[dict[str, Any]]:
        """Return the best words d of "a is to b as c is to d", those with the largest cos(d, b - a + c).

        The three words themselves are excluded. See Mikolov, Yih & Zweig, "Linguistic regularities in
        continuous space word representations" (2013), section 4. The vectors are scaled to length 1.

        Args:
            a: a word that has a vector.
            b: a word that has a vector.
            c: a word that has a vector.
            count: number of answers.

        Returns:
            `{"word", "similarity"}` of each answer, the best first.
        """
        rows = self.unit[[self.index[word] for word in (a, b, c)]]
        target = rows[1] - rows[0] + rows[2]
        return self._best(target / max(float(np.linalg.norm(target)), 1e-12), [a, b, c], count)

    def solve(self, questions: Sequence[tuple[str, str, str]]) -> list[str]:
        """Return the best answer of `analogy` to each question (a, b, c)."""
        rows = np.array([[self.index[word] for word in question] for question in questions])
        a, b, c = np.moveaxis(self.unit[rows], 1, 0)
        scores = (b - a + c) @ self.unit.T
        np.put_along_axis(scores, rows, -np.inf, axis=1)
        return [self.words[i] for i in scores.argmax(axis=1)]

    def _best(self, target: np.ndarray, without: Iterable[str], count: int) -> list[dict[str, Any]]:
        cosines = self.unit @ target
        excluded = {self.index[word] for word in without}
        order = np.argsort(-cosines, kind="stable")[: count + len(excluded)]
        best = [i for i in order.tolist() if i not in excluded][:count]
        return [{"word": self.words[i], "similarity": float(cosines[i])} for i in best]
