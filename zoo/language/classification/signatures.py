"""Texts to the indices of their words as a TensorFlow graph, for the SavedModels of classifiers."""

from __future__ import annotations

import tensorflow as tf

from zoo.common.core.data import RawInput
from zoo.common.data.vocabulary import UNKNOWN, Vocabulary
from zoo.language.classification.sentences import RULES
from zoo.language.text_in_graph import text_entry


def text_input(vocabulary: Vocabulary) -> RawInput:
    """Return the way in for `text` string [batch], UTF-8.

    The inputs made of it are `tokens` int32 [batch, longest], 0 behind a row's end, and `lengths` int32
    [batch]. A word that the vocabulary does not have is read as unknown. An empty text is an error of
    the graph.
    """
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(vocabulary.tokens), tf.range(len(vocabulary))
        ),
        default_value=vocabulary.index(UNKNOWN),
    )

    def encode(text):
        text = tf.strings.lower(text, encoding="utf-8")
        for pattern, replacement in RULES:
            text = tf.strings.regex_replace(text, pattern, replacement)
        words = tf.strings.split(text, " ")
        words = tf.ragged.boolean_mask(words, words != "")
        lengths = tf.cast(words.row_lengths(), tf.int32)
        with tf.control_dependencies([tf.debugging.assert_positive(lengths, "A text is empty")]):
            indices = tf.ragged.map_flat_values(table.lookup, words)
        return {"tokens": indices.to_tensor(), "lengths": lengths}

    return text_entry("text", encode, table)
