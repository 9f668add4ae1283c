"""English sentences of several corpora: film reviews, a newspaper and an encyclopedia.

`tools/english_text.py` writes it. No sentence of the dev and test splits of SST-2 is in it.
"""

from __future__ import annotations

from zoo.common.core.corpus import Corpus
from zoo.language.texts import Part, text_reader

SPLITS = {name: Part(f"english.{name}.txt") for name in ("train", "valid")}
REVIEWS_FILE = "reviews.txt"

ENGLISH = Corpus(
    name="english",
    title="English sentences of SST-2, MR, PTB, WikiText-2 and enwiki_piece",
    licence="those of its corpora; research use",
    source="the corpora in its title",
    read=text_reader("english", SPLITS),
    dev_split="valid",
    test_split="valid",
    restricted=True,
    instructions="Write it from the corpora with `python tools/english_text.py DATA OUT`.",
)
