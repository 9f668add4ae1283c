"""Texts to the indices of their pieces and back: `zoo.language.translation.subwords` as TensorFlow graphs."""

from __future__ import annotations

import tensorflow as tf

from zoo.common.core.data import RawInput
from zoo.common.data.vocabulary import PAD, SENTENCE_SPECIALS, UNKNOWN, Vocabulary
from zoo.language.text_in_graph import text_entry
from zoo.language.translation.subwords import SPACES, WORD_START, pieces_of

CHARACTERS = "UTF8_CHAR"
NONE = -1  # no piece


def source_input(vocabulary: Vocabulary) -> RawInput:
    """Return the way in for `text` string [batch], UTF-8.

    The inputs made of it are `source` int32 [batch, longest], padded behind a row's end, and
    `source_lengths` int32 [batch]. An empty text is an error of the graph.
    """
    pieces = pieces_of(vocabulary)
    indices = tf.range(len(SENTENCE_SPECIALS), len(vocabulary))
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant(pieces), indices), NONE
    )
    longest = max(map(len, pieces))

    def encode(text):
        text = tf.strings.regex_replace(text, SPACES, " ")  # first: what lowers ends at a null
        words = tf.strings.split(tf.strings.lower(text, encoding="utf-8"), " ")
        words = WORD_START + tf.ragged.boolean_mask(words, words != "")
        cut = _cut(words.flat_values, table, longest, vocabulary.index(UNKNOWN))
        cut = tf.ragged.boolean_mask(cut, cut != NONE)
        tokens = words.with_flat_values(tf.range(tf.size(words.flat_values)))
        tokens = tf.gather(cut, tokens).merge_dims(1, 2)
        lengths = tf.cast(tokens.row_lengths(), tf.int32)
        with tf.control_dependencies([tf.debugging.assert_positive(lengths, "A text is empty")]):
            source = tokens.to_tensor(vocabulary.index(PAD))
        return {"source": source, "source_lengths": lengths}

    return text_entry("text", encode, table)


def join_pieces(pieces: tf.Tensor) -> tf.Tensor:
    """Return texts string [batch] of pieces string [batch, time], "" behind a row's end."""
    text = tf.strings.reduce_join(pieces, axis=1)
    return tf.strings.strip(tf.strings.regex_replace(text, WORD_START, " "))


def _cut(words: tf.Tensor, table: tf.lookup.StaticHashTable, longest: int, unknown: int):
    """int32 [words, most pieces of one] of string [words]: their pieces, NONE behind a word's end."""
    lengths = tf.range(longest, 0, -1)[None, :]

    def unfinished(rest, pieces):
        return tf.reduce_any(rest != "")

    def body(rest, pieces):
        beginnings = tf.strings.substr(rest[:, None], 0 * lengths, lengths, CHARACTERS)
        found = table.lookup(beginnings)  # [words, longest], the longest beginning first
        first = tf.argmax(found != NONE, axis=1)
        piece, text = (tf.gather(of, first, batch_dims=1) for of in (found, beginnings))
        is_known, is_over = piece != NONE, rest == ""
        length = tf.where(is_known, tf.strings.length(text, CHARACTERS), tf.where(is_over, 0, 1))
        piece = tf.where(is_known, piece, tf.where(is_over, NONE, unknown))
        left = tf.strings.length(rest, CHARACTERS) - length
        rest = tf.strings.substr(rest, length, left, CHARACTERS)
        return rest, tf.concat([pieces, piece[:, None]], axis=1)

    pieces = tf.zeros([tf.size(words), 0], tf.int32)
    invariants = (tf.TensorShape([None]), tf.TensorShape([None, None]))
    return tf.while_loop(unfinished, body, (words, pieces), invariants)[1]
