"""The raw input of the SavedModel signature of pronunciation models."""

from __future__ import annotations

import re

import tensorflow as tf

from zoo.common.core.capabilities import RawInput
from zoo.language.text_in_graph import single_spaces, text_entry


def word_input(letters: str, max_letters: int) -> RawInput:
    """Return the raw input `word` string [batch], UTF-8.

    A word that is empty, has more than `max_letters` letters, or has a character that is not a letter,
    is an error of the graph.

    Args:
        letters: the valid letters, in upper case. The first one has the index 1.
        max_letters: maximum number of letters of a word.
    """
    valid = f"[{re.escape(letters)}]+"
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(list(letters)), tf.range(1, len(letters) + 1)
        ),
        default_value=0,
    )

    def encode(word):
        word = tf.strings.upper(single_spaces(word))
        check = tf.debugging.assert_equal(
            tf.strings.regex_full_match(word, valid),
            True,
            "A word must have only the letters A to Z and the apostrophe.",
        )
        with tf.control_dependencies([check]):
            split = tf.strings.unicode_split(word, "UTF-8")
        indices = tf.ragged.map_flat_values(table.lookup, split)
        lengths = tf.cast(indices.row_lengths(), tf.int32)
        check = tf.debugging.assert_less_equal(lengths, max_letters, "A word has too many letters.")
        with tf.control_dependencies([check]):
            lengths = tf.identity(lengths)
        return {"letters": indices.to_tensor(), "lengths": lengths}

    return text_entry("word", encode, table)
