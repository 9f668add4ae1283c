"""Conversion between strings and indices in TensorFlow graphs, for SavedModels of language models."""

from __future__ import annotations

import tensorflow as tf

from zoo.common.core.capabilities import RawInput
from zoo.common.data.vocabulary import UNKNOWN, Vocabulary
from zoo.language.text_in_graph import count_tokens, single_spaces, text_entry
from zoo.language.tokenization import END_OF_LINE, START_INDEX


def raw_inputs(vocabulary: Vocabulary, tokenization: str) -> dict[str, RawInput]:
    """Return the raw inputs of a SavedModel: `prompt` for `serving_default`, `text` for `score`.

    Each is string [batch], UTF-8. The model inputs are `tokens` int32 [batch, 1 + longest], beginning
    with `START_INDEX` and padded with 0, and `lengths` int32 [batch], the number of tokens without the
    first. A text without a token, a token without an index, and a text without a known token, apart from
    ends of lines, are errors of the graph. With a vocabulary that has an unknown token, the output
    `unknown` int32 [batch] is the number of unknown tokens.

    Args:
        vocabulary: the tokens.
        tokenization: one of `zoo.language.tokenization.TOKENIZATIONS`.
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
            ended = tf.strings.regex_replace(text, "\n", f" {END_OF_LINE} ")
            tokens = tf.strings.split(single_spaces(ended))
        indices = tf.ragged.map_flat_values(table.lookup, tokens)
        has_token = tf.reduce_any(tokens != END_OF_LINE, axis=1)
        ends = tf.reduce_sum(tf.cast(indices == START_INDEX, tf.int32), axis=1)
        others = tf.reduce_sum(tf.cast(indices == unknown, tf.int32), axis=1)
        all_unknown = (others > 0) & (others + ends == tf.cast(indices.row_lengths(), tf.int32))
        outside = f"of a text is in the vocabulary of {len(vocabulary)} {tokenization}s."
        checks = [
            tf.debugging.Assert(tf.reduce_all(has_token), ["A text is empty."]),
            tf.debugging.assert_non_negative(
                indices.flat_values, f"A {tokenization} of the text is not in the vocabulary."
            ),
            tf.debugging.Assert(~tf.reduce_any(all_unknown), [f"No {tokenization} {outside}"]),
        ]
        with tf.control_dependencies(checks):
            rows = indices.to_tensor()
        start = tf.fill([tf.shape(rows)[0], 1], START_INDEX)
        return {
            "tokens": tf.concat([start, rows], axis=1),
            "lengths": tf.cast(indices.row_lengths(), tf.int32),
        }

    def count_unknown(inputs):
        return count_tokens(inputs["tokens"][:, 1:] == unknown, inputs["lengths"])

    count = count_unknown if UNKNOWN in vocabulary else None
    return {
        signature: text_entry(name, encode, table, count)
        for signature, name in (("serving_default", "prompt"), ("score", "text"))
    }


def continue_text(
    vocabulary: Vocabulary, tokenization: str, prompt: tf.Tensor, indices: tf.Tensor
) -> tf.Tensor:
    """Return a prompt followed by tokens, string [].

    Args:
        vocabulary: the tokens.
        tokenization: one of `zoo.language.tokenization.TOKENIZATIONS`.
        prompt: string [].
        indices: int32 [tokens].
    """
    written = tf.gather(tf.constant(vocabulary.tokens), indices)
    if tokenization == "character":
        return prompt + tf.strings.reduce_join(written)
    written = tf.where(indices == START_INDEX, "\n", written)
    text = tf.strings.reduce_join(tf.concat([[prompt], written], axis=0), separator=" ")
    return tf.strings.regex_replace(text, " ?\n ?", "\n")
