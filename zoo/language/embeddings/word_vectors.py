"""Vectors of words: which words are near, and which word completes an analogy."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np


@dataclass(frozen=True)
class WordVectors:
    """Words and their vectors.

    words: tuple of str, the most frequent first. vectors: float32 [words, size].
    """

    words: tuple[str, ...]
    vectors: np.ndarray

    @cached_property
    def index(self) -> dict[str, int]:
        """The row of each word."""
        return {word: row for row, word in enumerate(self.words)}

    @cached_property
    def unit(self) -> np.ndarray:
        """The vectors at length 1, float32 [words, size]: their products are cosines."""
        lengths = np.linalg.norm(self.vectors, axis=1, keepdims=True)
        return self.vectors / np.maximum(lengths, 1e-12)

    def cosine(self, word: str, other: str) -> float:
        """Return the cosine of the angle between two words."""
        return float(self.unit[self.index[word]] @ self.unit[self.index[other]])

    def neighbours(self, word: str, count: int) -> list[dict[str, Any]]:
        """Return the words of the largest cosine with a word, itself not among them.

        Returns:
            `{"word", "similarity"}` of each, the nearest first.
        """
        return self._best(self.unit[self.index[word]], [word], count)

    def analogy(self, a: str, b: str, c: str, count: int) -> list[dict[str, Any]]:
        """Return the words d of "a is to b as c is to d" by 3CosAdd: of the largest cos(d, b - a + c).

        The three words themselves are no answer. See Mikolov, Yih & Zweig, "Linguistic regularities in
        continuous space word representations" (2013), section 4, for the method; vectors have length 1.

        Returns:
            `{"word", "similarity"}` of each, the best first.
        """
        rows = self.unit[[self.index[word] for word in (a, b, c)]]
        target = rows[1] - rows[0] + rows[2]
        return self._best(target / max(float(np.linalg.norm(target)), 1e-12), [a, b, c], count)

    def solve(self, questions: Sequence[tuple[str, str, str]]) -> list[str]:
        """Return the best answer of `analogy` to each of many questions (a, b, c)."""
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
