"""A part of the English Wikipedia as one text of words of the letters a to z.

The corpus has no splits. Here the first 90 % are train, the next 5 % are valid and the last 5 % are
test, from different articles.
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
    source="an excerpt of a dump of 2016 in the tests of gensim, without markup",
    instructions=(
        "This text was made from enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2, "
        "which https://github.com/piskvorky/gensim has in gensim/test/test_data, by a program that was "
        "not kept. Any text of the letters a to z in one file enwiki_text8style.txt, plain or gzipped, "
        "can be trained on, such as https://mattmahoney.net/dc/text8.zip."
    ),
    read=text_reader("enwiki_piece", SPLITS),
    dev_split="valid",
)
