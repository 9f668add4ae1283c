"""Tiny Shakespeare: plays in one text file.

Its test split is the last tenth, which other authors use as validation text.
"""

from __future__ import annotations

from zoo.common.core.corpus import Corpus
from zoo.language.texts import Part, text_reader

SPLITS = {"train": Part("input.txt", 0, 0.9), "test": Part("input.txt", 0.9, 1)}

SHAKESPEARE = Corpus(
    name="tinyshakespeare",
    title="Tiny Shakespeare: 1.1 M characters of the plays",
    licence="public domain",
    source="https://github.com/karpathy/char-rnn",
    read=text_reader("tinyshakespeare", SPLITS),
)
