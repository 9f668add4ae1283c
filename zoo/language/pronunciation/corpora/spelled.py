"""Spelled words: words with the phonemes of each letter, read from a pronouncing dictionary."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.common.core.corpus import check_folder, no_such_split
from zoo.common.core.errors import ZooError
from zoo.common.data.content import Content
from zoo.common.data.pronunciations import read_pronunciations
from zoo.common.data.splits import draw
from zoo.language.pronunciation.letter_alignment import LetterAligner, can_align

# The tag of a silent letter, and the separator of the phonemes of a letter that has two.
SILENT, JOINT = "-", "_"


@dataclass(frozen=True)
class SpelledWord:
    """A word with its pronunciations.

    Args:
        id: the word in the spelling of its dictionary.
        pronunciations: phonemes separated by spaces, the most common pronunciation first.
        tags: tag of each letter: its phonemes in the first pronunciation, separated by JOINT, or SILENT.
        split: name of the split; None for a dictionary without splits.
    """

    id: str
    pronunciations: tuple[str, ...]
    tags: tuple[str, ...] = ()
    split: str | None = None

    def content(self) -> Content:
        """Return the word and its pronunciations."""
        return Content((self.id, *self.pronunciations))


def read_words(path: Path) -> list[SpelledWord]:
    """Return the words of a dictionary, without tags.

    Words of one letter are left out, because they are pronounced as the name of the letter: "W" has
    seven phonemes.

    Args:
        path: see `zoo.common.data.pronunciations.read_pronunciations`.

    Raises:
        ZooError: the file is missing, or has an invalid line or a word with too many phonemes for its
            letters.
    """
    words: dict[str, list[str]] = {}
    for name, phonemes in read_pronunciations(path).items():
        word = re.sub(r"\(\d+\)$", "", name)
        if not can_align(word, phonemes.split()):
            if len(word) == 1:
                continue
            raise ZooError(
                f"{path}: a letter must have at most two phonemes. Received: {name} with {phonemes!r}."
            )
        if len(word) > 1:
            words.setdefault(word, []).append(phonemes)
    if not words:
        raise ZooError(f"{path}: the dictionary must have words of at least two letters.")
    return [SpelledWord(word, tuple(phonemes)) for word, phonemes in words.items()]


def tag(words: list[SpelledWord], learn_from: list[SpelledWord]) -> list[SpelledWord]:
    """Return words with their tags.

    Args:
        words: the words.
        learn_from: the words that the aligner is trained on.
    """
    aligner = LetterAligner(map(_first, learn_from))
    return [
        replace(
            word, tags=tuple(JOINT.join(part) or SILENT for part in aligner.align(*_first(word)))
        )
        for word in words
    ]


def dictionary_reader(
    corpus: str, file: str, test_share: float
) -> Callable[[Path, str], list[SpelledWord]]:
    """Return the function `read` of a `zoo.common.core.corpus.Corpus` that is a dictionary.

    A hash of each word determines the test split. The aligner is trained on the train split only.

    Args:
        corpus: name of the corpus.
        file: path of the dictionary in its folder.
        test_share: share of the words in the test split.
    """

    def read(folder: Path, split: str) -> list[SpelledWord]:
        check_folder(corpus, folder)
        if split not in ("train", "test", "all"):
            raise no_such_split(corpus, ["train", "test"], split)
        words = read_words(folder / file)
        order = sorted(words, key=lambda word: draw(word.id, 0))
        test = {word.id for word in order[: round(test_share * len(order))]}
        words = [replace(w, split="test" if w.id in test else "train") for w in words]
        tagged = tag(words, [word for word in words if word.split == "train"])
        return [word for word in tagged if split in ("all", word.split)]

    return read


def _first(word: SpelledWord) -> tuple[str, tuple[str, ...]]:
    return word.id, tuple(word.pronunciations[0].split())
