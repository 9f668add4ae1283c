"""Words to their indices as a TensorFlow graph, for the SavedModels of word vectors."""

from __future__ import annotations

import tensorflow as tf

from zoo.common.core.data import RawInput
from zoo.common.data.vocabulary import UNKNOWN, Vocabulary
from zoo.language.text_in_graph import text_entry


def word_input(vocabulary: Vocabulary) -> RawInput:
    """Return the way in for `word` string [batch], UTF-8.

    The input made of it is `tokens` int32 [batch], the index of UNKNOWN for a word that the vocabulary
    has neither as it is written nor in lower case.
    """
    unknown = vocabulary.index(UNKNOWN)
    known = vocabulary.tokens[unknown + 1 :]
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(known), tf.range(unknown + 1, len(vocabulary))
        ),
        default_value=unknown,
    )

    def encode(word):
        word = tf.strings.strip(word)
        written, lower = (table.lookup(w) for w in (word, tf.strings.lower(word, encoding="utf-8")))
        return {"tokens": tf.where(written == unknown, lower, written)}

    return text_entry("word", encode, table)
