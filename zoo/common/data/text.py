"""The normal form of texts, and the one definition of white space, words and numbers.

All readers of texts use it. The signatures of SavedModels have the same pattern of white space, and
refuse texts in another normal form.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Any

from zoo.common.core.errors import ZooError

# The set of white space characters: Unicode's property White_Space, control characters, and the zero
# width characters that separate words. Python and TensorFlow interpret the pattern identically.
SPACE = "[\\x00-\\x20\\x7f-\\xa0\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u3000\ufeff]"

_OTHER_SPACES = re.compile(SPACE.replace("\\x00-\\x20", r"\x00-\x08\x0e-\x1b"))


class Line(str):
    """A line of a file. It is always a text, never the name of a file.

    Args:
        text: the line, without its end.
        number: its number in the file, from 1.
    """

    number: int

    def __new__(cls, text: str, number: int = 1) -> Line:
        line = super().__new__(cls, text)
        line.number = number
        return line


def normalize(text: str) -> str:
    """Return a text in the normal form NFC of Unicode, where "e" with an accent is one character."""
    return unicodedata.normalize("NFC", text)


def split_words(text: str) -> list[str]:
    """Return the words of a text in NFC, which are separated by white space."""
    return _OTHER_SPACES.sub(" ", normalize(text)).split()


def single_spaces(text: str) -> str:
    """Return the words of a text with single spaces between them."""
    return " ".join(split_words(text))


def is_number(text: str) -> bool:
    """Return whether Python reads a text as a number, including NaN and infinity."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def read_text(source: Any) -> str:
    """Return an input that must be a text, in NFC.

    Raises:
        ZooError: it is not a str, it is not valid Unicode, or it has no character.
    """
    if not isinstance(source, str):
        raise ZooError(f"The input must be a str. Received: {type(source).__name__}.")
    try:
        source.encode()
    except UnicodeEncodeError as error:
        raise ZooError(
            f"The text is not UTF-8: the character at position {error.start} is invalid."
        ) from None
    if not source:
        raise ZooError("The text is empty.")
    return normalize(source)
