"""Test that the content of examples depends on nothing but their texts and signals."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.common.data.content import Content, digests


@dataclass
class Example:
    text: str
    signal: Any = ()
    rate: int = 8000

    def content(self) -> Content:
        return Content((self.text,), (self.rate, np.asarray(self.signal)))


ONE, TWO = Example("one", [1.0, 2.0]), Example("two", [3.0])


def test_order_is_irrelevant_and_all_else_matters():
    found = digests([ONE, TWO])
    assert found["examples"] == 2
    assert digests([TWO, ONE]) == found
    for changed in (Example("one", [1.0, 2.5]), Example("one", [1.0, 2.0], 16000)):
        other = digests([changed, TWO])
        assert other["texts"] == found["texts"]
        assert other["signals"] != found["signals"]
    assert digests([Example("One", [1.0, 2.0]), TWO])["texts"] != found["texts"]
    exchanged = digests([Example("two", [1.0, 2.0]), Example("one", [3.0])])
    assert exchanged["texts"] == found["texts"]
    assert exchanged["signals"] != found["signals"]


def test_representations_of_the_same_content():
    decomposed, nan = Example("e\u0301", [np.nan]), np.array([np.nan]).view(np.int64) | 1
    composed = Example("é", nan.view(np.float64))
    assert digests([decomposed]) == digests([composed])
    big_endian = Example("one", np.array([1.0, 2.0], ">f8"))
    assert digests([big_endian, TWO]) == digests([ONE, TWO])


def test_texts_without_signals():
    @dataclass
    class Text:
        text: str

        def content(self) -> Content:
            return Content((self.text,))

    assert set(digests([Text("a")])) == {"examples", "texts"}
    assert set(digests([])) == {"examples"}
