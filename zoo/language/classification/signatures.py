"""Convert texts to word indices in a TensorFlow graph, for SavedModels of classifiers."""

from __future__ import annotations

import tensorflow as tf

from zoo.common.core.capabilities import RawInput
from zoo.common.data.vocabulary import UNKNOWN, Vocabulary
from zoo.language.classification.sentences import MAX_WORDS, RULES
from zoo.language.text_in_graph import count_tokens, single_spaces, text_entry


def text_input(vocabulary: Vocabulary) -> RawInput:
    """Return the raw input `text` string [batch], UTF-8.

    The model inputs are `tokens` int32 [batch, longest], padded with 0, and `lengths` int32 [batch]. A
    word that is not in the vocabulary is read as unknown. A text that is empty, has more than
    `MAX_WORDS` words, or has no known word is an error of the graph. The output `unknown` int32 [batch]
    is the number of unknown words.

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
        # White space first, because tf.strings.lower ends a text at a null character.
        text = tf.strings.lower(single_spaces(text), encoding="utf-8")
        for pattern, replacement in RULES:
            text = tf.strings.regex_replace(text, pattern, replacement)
        words = tf.strings.split(text, " ")
        words = tf.ragged.boolean_mask(words, words != "")
        lengths = tf.cast(words.row_lengths(), tf.int32)
        indices = tf.ragged.map_flat_values(table.lookup, words)
        known = tf.reduce_any(indices > vocabulary.index(UNKNOWN), axis=1)
        message = f"No word of a text is in the vocabulary of {len(vocabulary)} words."
        checks = [
            tf.debugging.assert_positive(lengths, "A text is empty."),
            tf.debugging.assert_less_equal(lengths, MAX_WORDS, "A text has too many words."),
            tf.debugging.Assert(tf.reduce_all(known), [message]),
        ]
        with tf.control_dependencies(checks):
            lengths = tf.identity(lengths)
        return {"tokens": indices.to_tensor(), "lengths": lengths}

    def count_unknown(inputs):
        return count_tokens(inputs["tokens"] <= vocabulary.index(UNKNOWN), inputs["lengths"])

    return text_entry("text", encode, table, count_unknown)
