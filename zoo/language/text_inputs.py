"""Inputs of models of texts: texts, or files with one text per line."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from zoo.common.core.capabilities import FileInputs
from zoo.common.core.data import Data, Item
from zoo.common.data.manifests import read_file


class Line(str):
    """A line of a file. It is always a text, never the name of a file."""


class TextInputs(Data, FileInputs):
    """Data whose inputs are texts, or files with one text per line.

    Items may have `unknown`, the number of tokens that are not in the vocabulary.
    """

    def find_inputs(self, source: str) -> list[str]:
        """Return the lines of a file, including empty ones, or the text itself.

        A text that is also the name of a file is read as a text if it begins with a space.

        Raises:
            ZooError: the file is empty, too large, or not UTF-8.
        """
        if isinstance(source, Line) or not os.path.isfile(source):
            return [source]
        lines = read_file(Path(source)).removesuffix("\n").split("\n")
        return [Line(line) for line in lines]

    def example_digest(self, example: Any) -> str:
        """Return a digest without the id, which is the number of a line."""
        return super().example_digest(replace(example, id=""))

    def accepts_text(self, text: str) -> bool:
        return True

    def input_metadata(self, item: Item) -> dict[str, Any]:
        """Return `unknown` if it is above 0."""
        return {"unknown": item["unknown"]} if item.get("unknown") else {}
