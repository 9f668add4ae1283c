"""Word vectors beside what people say: lists of word pairs with scores, and questions of analogy."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from zoo.common.core.errors import ZooError, check_range
from zoo.common.data.manifests import parse_lines, read_lines
from zoo.language.embeddings.word_vectors import WordVectors

SAMPLES = Path(__file__).parents[1] / "samples"
# Finkelstein et al., "Placing search in context: the concept revisited" (2002): 353 pairs.
WORDSIM = SAMPLES / "EN-WS-353-ALL.txt"
QUESTIONS = "questions-words.txt"

# Of a word as a list has it, to the word as the vectors have it; None where they have it not.
Find = Callable[[str], str | None]


class WordPair(NamedTuple):
    """Two words and how alike people say they are. id: the number of the pair in its list."""

    id: int
    words: tuple[str, str]
    score: float


class Question(NamedTuple):
    """ "a is to b as c is to d": the last of the words is the answer. section: of which kind it is."""

    id: int
    section: str
    words: tuple[str, str, str, str]


@dataclass(frozen=True)
class Agreement:
    """How word vectors agree with a list.

    name: str. spearman: float. The rank correlation of their cosines with the list's scores, over the
        pairs of which both words are known; None where these are fewer than two, or all of one score.
    covered, total: int. The pairs of which both words are known, and all.
    """

    name: str
    spearman: float | None
    covered: int
    total: int

    @property
    def text(self) -> str:
        """For a person to read."""
        value = "none" if self.spearman is None else f"{self.spearman:.4f}"
        return f"{self.name}: spearman {value}, {self.covered} of {self.total} pairs known"


def read_pairs(path: Path) -> list[WordPair]:
    """Return the pairs of a list.

    Args:
        path: UTF-8 text; a line is two words and a score, with tabs or spaces between them.

    Raises:
        ZooError: the file is missing or empty, or its first bad line, by number.
    """
    read = 0

    def parse(line: str) -> WordPair:
        nonlocal read
        read += 1
        fields = line.split()
        try:
            first, second, score = fields
            value = float(score)
            check_range("a score", value)
        except ValueError:
            raise ZooError(
                f"a line must be two words and a score. Received: {line[:80]!r}"
            ) from None
        return WordPair(read, (first, second), value)

    return parse_lines(path, read_lines(path), parse)


def read_questions(path: Path) -> list[Question]:
    """Return the questions of a file like word2vec's `questions-words.txt`.

    Args:
        path: UTF-8 text; a line is four words, or a colon and the name of a section.

    Raises:
        ZooError: the file is missing or empty, or its first bad line, by number.
    """
    section, read = "", 0

    def parse(line: str) -> Question | None:
        nonlocal section, read
        fields = line.split()
        if fields[0] == ":":
            section = " ".join(fields[1:])
            return None
        if len(fields) != 4:
            raise ZooError(
                f"a line must be four words, or a colon and a name. Received: {line[:80]!r}"
            )
        read += 1
        return Question(read, section, tuple(fields))

    return parse_lines(path, read_lines(path), parse)


def agreement(vectors: WordVectors, find: Find, name: str, pairs: Sequence[WordPair]) -> Agreement:
    """Return how the cosines of word vectors agree with the scores of a list."""
    from scipy.stats import spearmanr

    known = [(*map(find, pair.words), pair.score) for pair in pairs]
    known = [(a, b, score) for a, b, score in known if a and b]
    cosines = [vectors.cosine(a, b) for a, b, _ in known]
    scores = [score for *_, score in known]
    varied = len(set(cosines)) > 1 and len(set(scores)) > 1
    value = float(spearmanr(cosines, scores).statistic) if varied else None
    return Agreement(name, value, len(known), len(pairs))


def agreements(vectors: WordVectors, find: Find, folder: Path) -> list[Agreement]:
    """Return the agreement with each list `EN-*.txt` of a folder, by name.

    Raises:
        ZooError: there is no such folder or list, or a bad line.
    """
    paths = sorted(folder.glob("EN-*.txt"))
    if not paths:
        raise ZooError(f"{folder}: no list of word pairs is there; it must be called EN-NAME.txt.")
    return [agreement(vectors, find, path.stem, read_pairs(path)) for path in paths]


def answer_questions(
    vectors: WordVectors, find: Find, questions: Sequence[Question]
) -> list[dict[str, Any]]:
    """Return `section`, `correct`, `covered`, `total` and `accuracy` of each section and of all.

    A question is covered where all of its words are known; `accuracy` is of these, None without one.
    """
    covered, answers = [], []
    for question in questions:
        words = tuple(map(find, question.words))
        if all(words):
            covered.append((question.section, words))
    for start in range(0, len(covered), 1000):
        part = [words[:3] for _, words in covered[start : start + 1000]]
        answers += vectors.solve(part)
    right = [
        (section, answer == words[3])
        for (section, words), answer in zip(covered, answers, strict=True)
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
