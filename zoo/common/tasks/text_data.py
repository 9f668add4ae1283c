"""The contract of texts as data of a language model."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

from zoo.common.core.capabilities import RawInputs
from zoo.common.core.data import Data, Item
from zoo.common.core.model import ModelConfig
from zoo.common.core.predictor import Predictor
from zoo.common.data.text import Line
from zoo.common.data.vocabulary import Vocabulary
from zoo.common.decoding.decoders import Generation


class TextData(Data, RawInputs):
    """Data of a language model. Items have `tokens` int32 [1 + tokens], `start` first, and `text`.

    Args:
        vocabulary: the tokens.
    """

    vocabulary: Vocabulary

    @property
    @abstractmethod
    def start(self) -> str:
        """The token that ends a line, and precedes the first token of a text."""

    @abstractmethod
    def split_tokens(self, text: str) -> Sequence[str]:
        """Return the tokens of a text."""

    @abstractmethod
    def join_tokens(self, tokens: Sequence[str]) -> str:
        """Return the text of tokens."""

    @abstractmethod
    def read_line(self, line: Line) -> Item:
        """Return the item of a line of a text, with its end. It may have no other token.

        Raises:
            ZooError: a token is not in the vocabulary, which has no unknown token.
        """

    @abstractmethod
    def continue_text(self, prompt: str, indices: Sequence[int]) -> str:
        """Return a prompt followed by the tokens with these indices."""

    @abstractmethod
    def continue_text_in_graph(self, prompt: Any, indices: Any) -> Any:
        """Return `continue_text` inside a TensorFlow graph: string [], int32 [tokens] to string []."""


TextModel = Predictor[TextData, ModelConfig, Generation]
