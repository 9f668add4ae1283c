"""Text as the input of a TensorFlow graph, for the SavedModels of all that reads text."""

from __future__ import annotations

from collections.abc import Callable

import tensorflow as tf

from zoo.common.core.data import RawInput


def text_entry(
    name: str, encode: Callable[[tf.Tensor], dict[str, tf.Tensor]], table: tf.lookup.StaticHashTable
) -> RawInput:
    """Return the way in for strings [batch]; bytes that are no UTF-8 are an error of the graph.

    Args:
        name: of the input.
        encode: makes the model's inputs of the strings.
        table: that it looks up.
    """

    def checked(text):
        valid = tf.strings.unicode_transcode(
            text, "UTF-8", "UTF-8", errors="replace", replace_control_characters=False
        )
        check = tf.debugging.Assert(tf.reduce_all(text == valid), [f"The {name} must be UTF-8."])
        with tf.control_dependencies([check]):
            return encode(tf.identity(text))

    return RawInput([tf.TensorSpec([None], tf.string, name)], checked, (table,))
