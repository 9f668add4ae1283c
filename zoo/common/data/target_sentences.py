"""Data whose answers are sentences that are generated: what those are made of, and their batches."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.common.core.data import Data
from zoo.common.core.states import StateSpec
from zoo.common.data.batching import pad
from zoo.common.data.vocabulary import START, Vocabulary

# What `shift_sentences` gives: shapes and types of y, and of the tokens in x those of the targets.
SHIFTED_SPEC = {"targets": ((None, None), "int32"), "lengths": ((None,), "int32")}
# The size of a free axis of the states in an example.
FREE_SIZE = 6


@dataclass(frozen=True)
class TargetSentences(Data):
    """Subclasses have a field `vocabulary`, a Vocabulary whose first tokens are `SENTENCE_SPECIALS`."""

    @abstractmethod
    def read_target(self, text: str) -> np.ndarray:
        """Return a sentence as tokens int32 [tokens], from the start to the end. Raises `ZooError`."""

    def join_tokens(self, tokens: Sequence[str]) -> str:
        """Return the sentence of tokens: here words, with a space between them."""
        return " ".join(tokens)

    def join_tokens_in_graph(self, tokens: Any) -> Any:
        """Return `join_tokens` as a TensorFlow graph: string [batch, time], "" behind a row's end, to
        string [batch]."""
        import tensorflow as tf

        return tf.strings.strip(tf.strings.reduce_join(tokens, axis=1, separator=" "))


def shift_sentences(
    sentences: Sequence[np.ndarray], padding: int
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """Return what a decoder is taught with: each token to be predicted from all before it.

    Args:
        sentences: int32 [tokens] each, from the start to the end. padding: the token behind an end.

    Returns:
        `tokens` int32 [batch, time], each sentence from its start to its last word; and y, with
        `targets` int32 [batch, time], from its first word to its end, and `lengths` int32 [batch],
        how many targets each has.
    """
    tokens, lengths = pad(sentences, padding)
    lengths -= 1
    inside = np.arange(tokens.shape[1] - 1) < lengths[:, None]
    shifted = np.where(inside, tokens[:, :-1], padding)
    return shifted, {"targets": tokens[:, 1:], "lengths": lengths}


def example_steps(vocabulary: Vocabulary, specs: Sequence[StateSpec]) -> list[dict[str, Any]]:
    """Return inputs of a graph `step`: sentences of several lengths from several states, all drawn.

    Args:
        specs: of the states. Whole numbers among them are lengths along the free axis.
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
