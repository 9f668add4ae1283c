"""Evaluation of word vectors: word pairs with scores by people, and analogy questions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from zoo.common.core.errors import ZooError, check_range
from zoo.common.data.manifests import parse_lines, read_lines
from zoo.common.data.text import split_words
from zoo.language.embeddings.word_vectors import WordVectors

SAMPLES = Path(__file__).parents[1] / "samples"
# Finkelstein et al., "Placing search in context: the concept revisited" (2002): 353 pairs.
WORDSIM = SAMPLES / "EN-WS-353-ALL.txt"
QUESTIONS = "questions-words.txt"
# Number of questions that are answered at a time.
BATCH = 1000

# Maps a word of a list to its spelling in the vocabulary, or to None if it is not in the vocabulary.
Find = Callable[[str], str | None]


class WordPair(NamedTuple):
    """Two words and their similarity as judged by people.

    Args:
        id: number of the pair in its list.
        words: the two words.
        score: the similarity.
    """

    id: int
    words: tuple[str, str]
    score: float


class Question(NamedTuple):
    """An analogy question "a is to b as c is to d".

    Args:
        id: number of the question in its file.
        section: kind of the question.
        words: the four words. The last one is the answer.
    """

    id: int
    section: str
    words: tuple[str, str, str, str]


@dataclass(frozen=True)
class Agreement:
    """Agreement of word vectors with a list of word pairs.

    Args:
        name: name of the list.
        spearman: rank correlation of the cosines with the scores, over the covered pairs; None if there
            are fewer than two, or if all scores or all cosines are equal.
        total: number of pairs.
        rows: for each pair with both words in the vocabulary: its `id`, `reference`, the score of the
            list, and `cosine`.
    """

    name: str
    spearman: float | None
    total: int
    rows: tuple[dict[str, Any], ...]

    @property
    def covered(self) -> int:
        """Number of pairs with both words in the vocabulary."""
        return len(self.rows)

    @property
    def text(self) -> str:
        """Return a line of text."""
        value = "none" if self.spearman is None else f"{self.spearman:.4f}"
        return (
            f"{self.name}: spearman {value}, {self.covered} of {self.total} pairs in the vocabulary"
        )


def read_pairs(path: Path) -> list[WordPair]:
    """Return the pairs of a list.

    Args:
        path: UTF-8 text. Each line has two words and a score, separated by tabs or spaces.

    Raises:
        ZooError: the file is missing or empty, or a line is invalid. The message has its number.
    """
    read = 0

    def parse(line: str) -> WordPair:
        nonlocal read
        read += 1
        fields = split_words(line)
        try:
            first, second, score = fields
            value = float(score)
            check_range("a score", value)
        except ValueError:
            raise ZooError(
                f"a line must have two words and a score. Received: {line[:80]!r}"
            ) from None
        return WordPair(read, (first, second), value)

    return parse_lines(path, read_lines(path), parse)


def read_questions(path: Path) -> list[Question]:
    """Return the questions of a file in the format of word2vec's `questions-words.txt`.

    Args:
        path: UTF-8 text. Each line has four words, or a colon and the name of a section.

    Raises:
        ZooError: the file is missing or empty, or a line is invalid. The message has its number.
    """
    section, read = "", 0

    def parse(line: str) -> Question | None:
        nonlocal section, read
        fields = split_words(line)
        if fields[0] == ":":
            section = " ".join(fields[1:])
            return None
        if len(fields) != 4:
            raise ZooError(
                f"a line must have four words, or a colon and a name. Received: {line[:80]!r}"
            )
        read += 1
        a, b, c, d = fields
        return Question(read, section, (a, b, c, d))

    return parse_lines(path, read_lines(path), parse)


def agreement(vectors: WordVectors, find: Find, name: str, pairs: Sequence[WordPair]) -> Agreement:
    """Return the agreement of the cosines of word vectors with the scores of a list.

    Args:
        vectors: the word vectors.
        find: maps a word of the list to its spelling in the vocabulary.
        name: name of the list.
        pairs: the pairs of the list.
    """
    rows = []
    for pair in pairs:
        a, b = map(find, pair.words)
        if a and b:
            id_ = f"{name}, {' '.join(pair.words)}"
            rows.append({"id": id_, "reference": pair.score, "cosine": float(vectors.cosine(a, b))})
    return Agreement(name, rank_correlation(rows), len(pairs), tuple(rows))


def rank_correlation(rows: Sequence[dict[str, Any]]) -> float | None:
    """Return the rank correlation of `cosine` with `reference`; None if one of them does not vary."""
    from scipy.stats import spearmanr

    cosines, scores = ([row[key] for row in rows] for key in ("cosine", "reference"))
    varied = len(set(cosines)) > 1 and len(set(scores)) > 1
    return float(spearmanr(cosines, scores).statistic) if varied else None


def agreements(vectors: WordVectors, find: Find, folder: Path) -> list[Agreement]:
    """Return the agreement with each list `EN-*.txt` of a folder, sorted by name.

    Args:
        vectors: the word vectors.
        find: maps a word of a list to its spelling in the vocabulary.
        folder: the folder.

    Raises:
        ZooError: the folder or the lists do not exist, or a line is invalid.
    """
    paths = sorted(folder.glob("EN-*.txt"))
    if not paths:
        raise ZooError(
            f"{folder}: the folder must have lists of word pairs, files named EN-NAME.txt."
        )
    return [agreement(vectors, find, path.stem, read_pairs(path)) for path in paths]


def answer_questions(
    vectors: WordVectors, find: Find, questions: Sequence[Question]
) -> list[dict[str, Any]]:
    """Return `section`, `correct`, `covered`, `total` and `accuracy` of each section and of all.

    Args:
        vectors: the word vectors.
        find: maps a word of a question to its spelling in the vocabulary.
        questions: the questions. One is covered if all of its words are in the vocabulary. `accuracy` is
            the share of correct answers to covered questions, None without any.
    """
    covered: list[tuple[str, tuple[str, str, str], str]] = []
    for question in questions:
        a, b, c, d = map(find, question.words)
        if a and b and c and d:
            covered.append((question.section, (a, b, c), d))
    answers: list[str] = []
    for start in range(0, len(covered), BATCH):
        answers += vectors.solve([words for _, words, _ in covered[start : start + BATCH]])
    right = [
        (section, answer == expected)
        for (section, _, expected), answer in zip(covered, answers, strict=True)
    ]
    rows = []
    for name in [*dict.fromkeys(question.section for question in questions), "all"]:
        hits = [hit for section, hit in right if name in (section, "all")]
        rows.append(
            {
                "section": name,
                "correct": sum(hits),
                "covered": len(hits),
                "total": sum(name in (question.section, "all") for question in questions),
                "accuracy": sum(hits) / len(hits) if hits else None,
            }
        )
    return rows
