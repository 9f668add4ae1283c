"""Test the normal form and the white space of texts."""

import re

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data.text import SPACE, normalize, read_text, single_spaces, split_words


def test_texts_are_composed():
    assert normalize("cafe\u0301") == "café"
    assert split_words("cafe\u0301 \u1112\u1161\u11ab") == ["café", "한"]
    assert single_spaces(" e\u0301\n\n b\u3000") == "é b"


@pytest.mark.parametrize(
    "code", [0, 8, 9, 10, 14, 27, 28, 32, 127, 133, 160, 0x200B, 0x2028, 0xFEFF]
)
def test_white_space_separates_words(code):
    assert split_words(f"a{chr(code)}b") == ["a", "b"]
    assert re.fullmatch(SPACE, chr(code))


@pytest.mark.parametrize("code", [33, 126, 161, 173, 0x200C, 0x200D, 0x2060, 0x00E9])
def test_other_characters_do_not(code):
    assert split_words(f"a{chr(code)}b") == [f"a{chr(code)}b"]
    assert not re.fullmatch(SPACE, chr(code))


def test_inputs_must_be_texts():
    assert read_text(" e\u0301 ") == " é "
    with pytest.raises(ZooError, match=r"^The input must be a str\. Received: bytes\.$"):
        read_text(b"a")
    with pytest.raises(ZooError, match=r"^The text is not UTF-8: the character at position 2 is i"):
        read_text("ab\ud800")
    with pytest.raises(ZooError, match=r"^The text is empty\.$"):
        read_text("")
