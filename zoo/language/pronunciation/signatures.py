"""The raw input of the SavedModel signature of pronunciation models."""

from __future__ import annotations

import re

import tensorflow as tf

from zoo.common.core.capabilities import RawInput


def word_input(letters: str) -> RawInput:
    """Return the raw input `word` string [batch].

    An empty word, or one with another character than the letters, is an error of the graph.

    Args:
        letters: the valid letters. The first one has the index 1.
    """
    valid = f"[{re.escape(letters)}]+"
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(list(letters)), tf.range(1, len(letters) + 1)
        ),
        default_value=0,
    )

    def encode(word):
        word = tf.strings.upper(tf.strings.strip(word))
        check = tf.debugging.assert_equal(
            tf.strings.regex_full_match(word, valid),
            True,
            "A word must have only the letters A to Z and the apostrophe.",
        )
        with tf.control_dependencies([check]):
            split = tf.strings.unicode_split(word, "UTF-8")
        indices = tf.ragged.map_flat_values(table.lookup, split)
        lengths = tf.cast(indices.row_lengths(), tf.int32)
        return {"letters": indices.to_tensor(), "lengths": lengths}

    return RawInput([tf.TensorSpec([None], tf.string, "word")], encode, (table,))
