"""Test the inputs and targets of teacher forcing, sentences in a graph, and example inputs of a step."""

import numpy as np
import tensorflow as tf

from zoo.common.core.states import StateSpec
from zoo.common.data.target_sentences import (
    FREE_SIZE,
    SHIFTED_SPEC,
    TargetSentences,
    example_steps,
    shift_sentences,
)
from zoo.common.data.vocabulary import SENTENCE_SPECIALS, START, Vocabulary

PADDING, BEGIN, END = 0, 2, 3


def test_each_token_is_predicted_from_the_tokens_before_it():
    sentences = [np.array(row, np.int32) for row in ([2, 7, 8, 9, 3], [2, 5, 3], [2, 3])]
    tokens, y = shift_sentences(sentences, PADDING)
    # The inputs have no end token, and the targets have no start token.
    assert tokens.tolist() == [[2, 7, 8, 9], [2, 5, 0, 0], [2, 0, 0, 0]]
    assert y["targets"].tolist() == [[7, 8, 9, 3], [5, 3, 0, 0], [3, 0, 0, 0]]
    assert y["lengths"].tolist() == [4, 2, 1]
    for name, (shape, dtype) in SHIFTED_SPEC.items():
        assert (y[name].ndim, y[name].dtype) == (len(shape), dtype)


def test_padding_has_the_given_index():
    tokens, y = shift_sentences([np.array([2, 5, 6, 3]), np.array([2, 3])], 9)
    assert tokens.tolist() == [[2, 5, 6], [2, 9, 9]]
    assert y["targets"].tolist() == [[5, 6, 3], [3, 9, 9]]


class Sentences(TargetSentences):
    """The methods that have an implementation."""


Sentences.__abstractmethods__ = frozenset()


def test_words_are_joined_in_python_and_in_a_graph():
    data = Sentences()
    assert data.join_tokens(["a", "b"]) == "a b"
    rows = tf.constant([["a", "b", "c"], ["d", "", ""], ["", "", ""]])
    assert data.join_tokens_in_graph(rows).numpy().tolist() == [b"a b c", b"d", b""]


def test_example_inputs_of_a_step():
    vocabulary = Vocabulary((*SENTENCE_SPECIALS, "a"), (0,) * 5)
    specs = (StateSpec("h", (3,)), StateSpec("source", (None, 2)), StateSpec("n", (), "int32"))
    examples = example_steps(vocabulary, specs)
    assert [e["tokens"].shape for e in examples] == [(1, 1), (1, 7), (3, 1), (4, 12)]
    for example in examples:
        rows = len(example["tokens"])
        assert (example["tokens"][:, 0] == vocabulary.index(START)).all()
        assert example["tokens"].min() >= 0
        assert example["tokens"].max() < 5
        assert example["h"].shape == (rows, 3)
        assert example["source"].shape == (rows, FREE_SIZE, 2)
        assert example["n"].shape == (rows,)
        assert (example["h"].dtype, example["n"].dtype) == (np.float32, np.int32)
    found = np.concatenate([e["n"] for e in examples] + [e["n"] for e in examples])
    assert set(found.tolist()) <= set(range(1, FREE_SIZE + 1))
    values = np.concatenate([e["source"].ravel() for e in examples])
    assert -1 <= values.min() < -0.5 < 0.5 < values.max() <= 1
    again = example_steps(vocabulary, specs)
    np.testing.assert_array_equal(again[3]["source"], examples[3]["source"])
