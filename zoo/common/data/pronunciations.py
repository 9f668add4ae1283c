"""Pronunciation dictionaries in CMU format: a word and its phonemes on each line."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import parse_lines, read_lines
from zoo.common.data.text import split_words


class _Pronunciation(NamedTuple):
    """A line. `id` is the word; `WORD(2)` for its second pronunciation."""

    id: str
    phonemes: str


def read_pronunciations(path: Path) -> dict[str, str]:
    """Return the phonemes, separated by single spaces, of each word of a dictionary.

    Args:
        path: UTF-8 text with a line such as `YES  Y EH S` for each pronunciation. The second
            pronunciation of a word is listed as `WORD(2)`, and is returned under that name.

    Raises:
        ZooError: the file is missing or empty, or a line has no phonemes or a word that is not unique.
    """
    return dict(parse_lines(path, read_lines(path), _parse))


def _parse(line: str) -> _Pronunciation:
    word, *phonemes = split_words(line)
    if not phonemes:
        raise ZooError("not of the form `WORD PHONEME PHONEME ...`")
    return _Pronunciation(word, " ".join(phonemes))
