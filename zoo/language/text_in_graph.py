"""Text as input of a TensorFlow graph, for the signatures of a SavedModel."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from zoo.common.core.capabilities import RawInput


def text_entry(
    name: str, encode: Callable[[tf.Tensor], dict[str, tf.Tensor]], table: tf.lookup.StaticHashTable
) -> RawInput:
    """Return the raw input for texts, string [batch]. Invalid UTF-8 is an error of the graph.

    Args:
        name: name of the input.
        encode: maps texts to model inputs.
        table: lookup table that `encode` uses.
    """

    def checked(text):
        valid = tf.strings.unicode_transcode(
            text, "UTF-8", "UTF-8", errors="replace", replace_control_characters=False
        )
        check = tf.debugging.Assert(tf.reduce_all(text == valid), [f"The {name} must be UTF-8."])
        with tf.control_dependencies([check]):
            return encode(tf.identity(text))

    return RawInput([tf.TensorSpec([None], tf.string, name)], checked, (table,))
