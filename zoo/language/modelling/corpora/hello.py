"""The word "hello", line after line: the smallest text from which a network learns to remember.

The word is all there is, so every split is of it: train is the whole file, and a model is chosen by and
measured on one line, the word and the line's end.
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
    title='The word "hello", which travels with the zoo',
    licence="public domain",
    source="https://karpathy.github.io/2015/05/21/rnn-effectiveness",
    read=text_reader("hello", SPLITS),
    dev_split="valid",
    folder=Path(__file__).parents[2] / "samples",
)
