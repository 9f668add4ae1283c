"""The word "hello" on every line: a minimal text for which a network must remember earlier letters.

All splits contain the same word: train is the whole file, and valid and test are its first line.
"""

from __future__ import annotations

from pathlib import Path

from zoo.common.core.corpus import Corpus
from zoo.language.texts import Part, text_reader

LINES = 100
FIRST_LINE = Part("hello.txt", 0, 1 / LINES)
SPLITS = {"train": Part("hello.txt"), "valid": FIRST_LINE, "test": FIRST_LINE}

HELLO = Corpus(
    name="hello",
    title='The word "hello", which is part of the package',
    licence="public domain",
    source="https://karpathy.github.io/2015/05/21/rnn-effectiveness",
    read=text_reader("hello", SPLITS),
    dev_split="valid",
    folder=Path(__file__).parents[2] / "samples",
)
