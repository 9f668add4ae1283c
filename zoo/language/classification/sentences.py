"""Split sentences into words in lower case and punctuation marks, as the Penn Treebank does.

Python and TensorFlow interpret the patterns identically, so a SavedModel splits texts as the zoo does.
"""

from __future__ import annotations

import re

from zoo.common.data.text import SPACE, single_spaces

MAX_WORDS = 10_000  # a longer text is not a sentence, and takes much memory
# (pattern, replacement), applied in order to a text in NFC and lower case, with ASCII word boundaries. A
# text that is split already does not change.
RULES = (
    (f"{SPACE}+", " "),
    ("[\u2018\u2019]", "'"),
    ("[-\u2013\u2014/]", " "),
    (r'([.,!?;:()"\[\]]+)', r" \1 "),
    (r"([a-z])n't\b", r"\1 n't"),
    (r"([a-z])'(s|re|ve|ll|d|m)\b", r"\1 '\2"),
)


def split_sentence(text: str) -> list[str]:
    """Return the words and punctuation marks of a text."""
    text = single_spaces(text).lower()  # spaces first: the case of a Greek letter depends on them
    for pattern, replacement in RULES:
        text = re.sub(pattern, replacement, text, flags=re.ASCII)
    return [token for token in text.split(" ") if token]
