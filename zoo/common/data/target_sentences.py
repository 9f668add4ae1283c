"""Data whose answers are generated sentences: their tokens and their batches."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import Any

import numpy as np

from zoo.common.core.data import Data
from zoo.common.core.states import StateSpec
from zoo.common.data.batching import pad
from zoo.common.data.vocabulary import START, Vocabulary

# Shapes and dtypes of the y of `shift_sentences`. The tokens in x have those of the targets.
SHIFTED_SPEC = {"targets": ((None, None), "int32"), "lengths": ((None,), "int32")}
# Size of a free axis of the states in `example_steps`.
FREE_SIZE = 6


class TargetSentences(Data):
    """Data with a field `vocabulary` whose first tokens are `SENTENCE_SPECIALS`."""

    vocabulary: Vocabulary

    @abstractmethod
    def read_target(self, text: str) -> np.ndarray:
        """Return a sentence as tokens int32 [tokens], including the start and end tokens.

        Raises:
            ZooError: the sentence is empty or too long.
        """

    def join_tokens(self, tokens: Sequence[str]) -> str:
        """Return the sentence of tokens, here words with a space between them."""
        return " ".join(tokens)

    def join_tokens_in_graph(self, tokens: Any) -> Any:
        """Return `join_tokens` inside a TensorFlow graph.

        Args:
            tokens: string [batch, time], "" after the end of a row.

        Returns:
            string [batch].
        """
        import tensorflow as tf

        return tf.strings.strip(tf.strings.reduce_join(tokens, axis=1, separator=" "))


def shift_sentences(
    sentences: Sequence[np.ndarray], padding: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return teacher-forcing inputs and targets: each token is predicted from all before it.

    Args:
        sentences: int32 [tokens] each, including the start and end tokens.
        padding: index of the padding token.

    Returns:
        `tokens` int32 [batch, time], each sentence without its end; and y, with `targets` int32 [batch,
        time], each sentence without its start, and `lengths` int32 [batch], the number of targets.
    """
    tokens, lengths = pad(sentences, padding)
    lengths -= 1
    inside = np.arange(tokens.shape[1] - 1) < lengths[:, None]
    shifted = np.where(inside, tokens[:, :-1], padding)
    return shifted, {"targets": tokens[:, 1:], "lengths": lengths}


def example_steps(vocabulary: Vocabulary, specs: Sequence[StateSpec]) -> list[dict[str, Any]]:
    """Return random inputs of a graph `step`, with several batch sizes and lengths.

    Args:
        vocabulary: the vocabulary of the tokens.
        specs: the states. Integers among them are lengths along the free axis.
    """
    start, generator = vocabulary.index(START), np.random.default_rng(0)

    def state(spec: StateSpec, rows: int) -> np.ndarray:
        shape = (rows, *(FREE_SIZE if size is None else size for size in spec.shape))
        if np.dtype(spec.dtype).kind == "i":
            return generator.integers(1, FREE_SIZE + 1, shape, spec.dtype)
        return generator.uniform(-1, 1, shape).astype(spec.dtype)

    def step(rows: int, time_steps: int) -> dict[str, Any]:
        tokens = generator.integers(0, len(vocabulary), (rows, time_steps), np.int32)
        tokens[:, 0] = start
        return {"tokens": tokens, **{spec.name: state(spec, rows) for spec in specs}}

    return [step(1, 1), step(1, 7), step(3, 1), step(4, 12)]
