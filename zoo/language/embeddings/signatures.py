"""The raw input of the SavedModel signature of word embeddings."""

from __future__ import annotations

import tensorflow as tf

from zoo.common.core.capabilities import RawInput
from zoo.common.data.vocabulary import UNKNOWN, Vocabulary
from zoo.language.text_in_graph import single_spaces, text_entry


def word_input(vocabulary: Vocabulary) -> RawInput:
    """Return the raw input `word` string [batch], UTF-8.

    The model input is `tokens` int32 [batch]: the index of the word as written or, if it is not in the
    vocabulary, in lower case; else the index of UNKNOWN. An empty word is an error of the graph.

    Args:
        vocabulary: the words.
    """
    unknown = vocabulary.index(UNKNOWN)
    words = vocabulary.tokens[unknown + 1 :]
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(words), tf.range(unknown + 1, len(vocabulary))
        ),
        default_value=unknown,
    )

    def encode(word):
        word = single_spaces(word)
        check = tf.debugging.assert_none_equal(word, "", message="A word is empty.")
        with tf.control_dependencies([check]):
            word = tf.identity(word)
        written, lower = (table.lookup(w) for w in (word, tf.strings.lower(word, encoding="utf-8")))
        return {"tokens": tf.where(written == unknown, lower, written)}

    return text_entry("word", encode, table)
