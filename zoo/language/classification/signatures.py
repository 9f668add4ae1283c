"""Convert texts to word indices in a TensorFlow graph, for SavedModels of classifiers."""

from __future__ import annotations

import tensorflow as tf

from zoo.common.core.capabilities import RawInput
from zoo.common.data.vocabulary import UNKNOWN, Vocabulary
from zoo.language.classification.sentences import RULES
from zoo.language.text_in_graph import text_entry


def text_input(vocabulary: Vocabulary) -> RawInput:
    """Return the raw input `text` string [batch], UTF-8.

    The model inputs are `tokens` int32 [batch, longest], padded with 0, and `lengths` int32 [batch]. A
    word that is not in the vocabulary is read as unknown. An empty text is an error of the graph.

    Args:
        vocabulary: the words.
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
        with tf.control_dependencies([tf.debugging.assert_positive(lengths, "A text is empty.")]):
            indices = tf.ragged.map_flat_values(table.lookup, words)
        return {"tokens": indices.to_tensor(), "lengths": lengths}

    return text_entry("text", encode, table)
