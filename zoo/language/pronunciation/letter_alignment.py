"""Alignment of the letters of a word with its phonemes by expectation maximization.

Letters and phonemes are aligned in order. A letter has no, one or two phonemes: its part. With
p(part | letter), the probability of an alignment of a word is

    p(alignment) = product over letters of p(part of the letter | letter) weight(size of the part)

The probabilities are estimated by counts of parts in all alignments of all words, each weighted by its
probability under the previous estimate. See Black, Lenzo & Pagel, "Issues in building general letter to
sound rules" (1998).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence

# Maximum number of phonemes of a letter, and the weight of a part of each size. The weights favour a
# vowel and a consonant for "E L" over a silent "E" and an "L" with both phonemes.
LONGEST = 2
WEIGHTS = (0.3, 1.0, 0.03)
ROUNDS = 15
UNSEEN = 1e-6  # probability of a part that a letter has in no word

Part = tuple[str, ...]
Word = tuple[str, Part]
Tables = dict[str, dict[Part, float]]


class LetterAligner:
    """Align words with their phonemes.

    Args:
        words: pairs of a spelling and its phonemes for the estimate. `can_align` is true for each.
    """

    def __init__(self, words: Iterable[Word]):
        words = list(words)
        self._tables: Tables = {}
        for _ in range(ROUNDS):
            counts: Tables = defaultdict(lambda: defaultdict(float))
            for letters, phonemes in words:
                for letter, part, share in self._shares(letters, phonemes):
                    counts[letter][part] += share
            self._tables = {
                letter: {part: count / sum(parts.values()) for part, count in parts.items()}
                for letter, parts in counts.items()
            }

    def align(self, letters: str, phonemes: Part) -> list[Part]:
        """Return the part of each letter in the most probable alignment.

        Args:
            letters: the spelling.
            phonemes: the phonemes.

        Raises:
            ValueError: the word has no alignment. See `can_align`.
        """
        best: dict[int, tuple[float, list[Part]]] = {0: (1.0, [])}
        for letter in letters:
            following: dict[int, tuple[float, list[Part]]] = {}
            for end, (probability, parts) in best.items():
                for part in _parts(phonemes, end):
                    new = probability * self._probability(letter, part)
                    at = end + len(part)
                    # A small margin, so that rounding does not decide ties: the first of equals is kept.
                    if new > following.get(at, (0.0, []))[0] * (1 + 1e-9):
                        following[at] = (new, [*parts, part])
            best = following
        if len(phonemes) not in best:
            raise ValueError(f"{letters!r} cannot be aligned with {' '.join(phonemes)!r}")
        return best[len(phonemes)][1]

    def _probability(self, letter: str, part: Part) -> float:
        known = self._tables.get(letter, {}).get(part, UNSEEN) if self._tables else 1.0
        return known * WEIGHTS[len(part)]

    def _shares(self, letters: str, phonemes: Part) -> Iterator[tuple[str, Part, float]]:
        """Yield (letter, part, probability that this letter of the word has that part)."""
        forward = _sums(letters, phonemes, self._probability)
        turned = _sums(
            letters[::-1], phonemes[::-1], lambda x, part: self._probability(x, part[::-1])
        )
        size = len(phonemes)
        total = forward[-1].get(size, 0.0)
        for i, letter in enumerate(letters):
            for start, before in forward[i].items():
                for part in _parts(phonemes, start):
                    after = turned[len(letters) - i - 1].get(size - start - len(part), 0.0)
                    if after:
                        yield letter, part, before * self._probability(letter, part) * after / total


def can_align(letters: str, phonemes: Sequence[str]) -> bool:
    """Return whether a word has an alignment."""
    return bool(letters) and len(phonemes) <= LONGEST * len(letters)


def _parts(phonemes: Part, start: int) -> Iterator[Part]:
    """Yield the possible parts of a letter whose part begins at `start`."""
    for length in range(min(LONGEST, len(phonemes) - start) + 1):
        yield phonemes[start : start + length]


def _sums(
    letters: str, phonemes: Part, probability: Callable[[str, Part], float]
) -> list[dict[int, float]]:
    """Return for each number of letters the total probability of each number of phonemes."""
    rows = [{0: 1.0}]
    for letter in letters:
        row: dict[int, float] = defaultdict(float)
        for start, before in rows[-1].items():
            for part in _parts(phonemes, start):
                row[start + len(part)] += before * probability(letter, part)
        rows.append(row)
    return rows
