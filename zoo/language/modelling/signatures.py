"""Strings to indices and back as TensorFlow graphs, for the SavedModels of language models."""

from __future__ import annotations

import tensorflow as tf

from zoo.common.core.data import RawInput
from zoo.common.data.vocabulary import UNKNOWN, Vocabulary
from zoo.language.text_in_graph import text_entry
from zoo.language.tokenization import END_OF_LINE, START_INDEX


def raw_inputs(vocabulary: Vocabulary, tokenization: str) -> dict[str, RawInput]:
    """Return the ways into a SavedModel: `serving_default` takes `prompt`, `score` takes `text`.

    Each is string [batch], UTF-8. The inputs made of it are `tokens` int32 [batch, 1 + longest], the
    start first and 0 after a row's end, and `lengths` int32 [batch], its tokens, the start not counted.
    An empty text, and a token that the vocabulary cannot stand for, are errors of the graph.
    """
    unknown = vocabulary.index(UNKNOWN) if UNKNOWN in vocabulary else -1
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(
            tf.constant(vocabulary.tokens), tf.range(len(vocabulary))
        ),
        default_value=unknown,
    )

    def encode(text):
        if tokenization == "character":
            tokens = tf.strings.unicode_split(text, "UTF-8")
        else:
            tokens = tf.strings.split(tf.strings.regex_replace(text, "\n", f" {END_OF_LINE} "))
        indices = tf.ragged.map_flat_values(table.lookup, tokens)
        checks = [
            tf.debugging.assert_positive(
                tf.strings.length(tf.strings.strip(text)), "A text is empty"
            ),
            tf.debugging.assert_non_negative(
                indices.flat_values, f"The model does not know a {tokenization} of the text"
            ),
        ]
        with tf.control_dependencies(checks):
            rows = indices.to_tensor()
        start = tf.fill([tf.shape(rows)[0], 1], START_INDEX)
        return {
            "tokens": tf.concat([start, rows], axis=1),
            "lengths": tf.cast(indices.row_lengths(), tf.int32),
        }

    return {
        signature: text_entry(name, encode, table)
        for signature, name in (("serving_default", "prompt"), ("score", "text"))
    }


def continue_text(
    vocabulary: Vocabulary, tokenization: str, prompt: tf.Tensor, indices: tf.Tensor
) -> tf.Tensor:
    """Return string [], a prompt string [] with the tokens of `indices` int32 [tokens] after it."""
    written = tf.gather(tf.constant(vocabulary.tokens), indices)
    if tokenization == "character":
        return prompt + tf.strings.reduce_join(written)
    written = tf.where(indices == START_INDEX, "\n", written)
    text = tf.strings.reduce_join(tf.concat([[prompt], written], axis=0), separator=" ")
    return tf.strings.regex_replace(text, " ?\n ?", "\n")
