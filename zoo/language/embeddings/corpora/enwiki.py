"""A piece of the English Wikipedia as words of the letters a to z, one after the other.

It has no splits of its own: the first nine tenths are train, and the rest, of other articles, is halved.
"""

from __future__ import annotations

from zoo.common.core.corpus import Corpus
from zoo.language.texts import Part, text_reader

FILE = "enwiki_text8style.txt"
SPLITS = {
    "train": Part(FILE, 0, 0.9),
    "valid": Part(FILE, 0.9, 0.95),
    "test": Part(FILE, 0.95, 1),
}

ENWIKI = Corpus(
    name="enwiki_piece",
    title="A piece of the English Wikipedia: 486 k words, lower case, no punctuation",
    licence="CC BY-SA",
    source="https://mattmahoney.net/dc/textdata.html",
    read=text_reader("enwiki_piece", SPLITS),
    dev_split="valid",
)
