"""Spelled words: words whose letters each have the phonemes that they stand for."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from zoo.common.core.corpus import check_folder, no_such_split
from zoo.common.core.errors import ZooError
from zoo.common.data.pronunciations import read_pronunciations
from zoo.common.data.splits import draw
from zoo.language.pronunciation.letter_alignment import LetterAligner, can_align

# The tag of a letter without a sound, and what joins the phonemes of a letter that has two.
SILENT, JOINT = "-", "_"


@dataclass(frozen=True)
class SpelledWord:
    """A word with its pronunciations.

    id: str. The word, as its dictionary has it.
    pronunciations: tuple of str. Phonemes between spaces, the commonest pronunciation first.
    tags: tuple of str. Of each letter: its phonemes in the first pronunciation, with JOINT between them,
        or SILENT.
    split: str. None where the word belongs to none.
    """

    id: str
    pronunciations: tuple[str, ...]
    tags: tuple[str, ...] = ()
    split: str | None = None


def read_words(path: Path) -> list[SpelledWord]:
    """Return the words of a dictionary, without tags.

    Words of one letter are left out: they are pronounced as the letter's name, "W" with seven phonemes.

    Args:
        path: see `zoo.common.data.pronunciations.read_pronunciations`.

    Raises:
        ZooError: the file is missing, has a bad line or a word with too many phonemes for its letters.
    """
    words: dict[str, list[str]] = {}
    for name, phonemes in read_pronunciations(path).items():
        word = re.sub(r"\(\d+\)$", "", name)
        if not can_align(word, phonemes.split()):
            if len(word) == 1:
                continue
            raise ZooError(
                f"{path}: a letter has two phonemes at most. Received: {name} with {phonemes!r}."
            )
        if len(word) > 1:
            words.setdefault(word, []).append(phonemes)
    if not words:
        raise ZooError(f"{path}: there is no word of two letters or more.")
    return [SpelledWord(word, tuple(phonemes)) for word, phonemes in words.items()]


def tag(words: list[SpelledWord], learn_from: list[SpelledWord]) -> list[SpelledWord]:
    """Return words with their tags, by an aligner that knows others, or these, in `learn_from`."""
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
    """Return the `read` of a corpus that is a dictionary, as `zoo.common.core.corpus.Corpus` has it.

    Which words are test is fixed by a hash of each. Those of train alone teach the aligner.

    Args:
        corpus: its name. file: the dictionary in its folder. test_share: of the words.
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
