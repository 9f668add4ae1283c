"""Convert texts to indices of subword pieces and back in TensorFlow graphs.

The module `subwords` does the same in Python.
"""

from __future__ import annotations

import tensorflow as tf

from zoo.common.core.capabilities import RawInput
from zoo.common.data.vocabulary import PAD, SENTENCE_SPECIALS, UNKNOWN, Vocabulary
from zoo.language.text_in_graph import count_tokens, single_spaces, text_entry
from zoo.language.translation.subwords import MAX_PIECES, WORD_START, pieces_of

CHARACTERS = "UTF8_CHAR"
NONE = -1  # index of no piece


def source_input(vocabulary: Vocabulary) -> RawInput:
    """Return the raw input `text` string [batch], UTF-8.

    The model inputs are `source` int32 [batch, longest], padded, and `source_lengths` int32 [batch]. A
    text that is empty, has more than `MAX_PIECES` pieces, or has no known piece is an error of the
    graph. The output `unknown` int32 [batch] is the number of unknown characters.

    Args:
        vocabulary: the pieces.
    """
    pieces = pieces_of(vocabulary)
    indices = tf.range(len(SENTENCE_SPECIALS), len(vocabulary))
    table = tf.lookup.StaticHashTable(
        tf.lookup.KeyValueTensorInitializer(tf.constant(pieces), indices), NONE
    )
    longest = max(map(len, pieces))

    def encode(text):
        # White space first, because tf.strings.lower ends a text at a null character.
        text = tf.strings.lower(single_spaces(text), encoding="utf-8")
        words = tf.strings.split(text, " ")
        words = WORD_START + tf.ragged.boolean_mask(words, words != "")
        found = _split_words(words.flat_values, table, longest, vocabulary.index(UNKNOWN))
        found = tf.ragged.boolean_mask(found, found != NONE)
        tokens = words.with_flat_values(tf.range(tf.size(words.flat_values)))
        tokens = tf.gather(found, tokens).merge_dims(1, 2)
        lengths = tf.cast(tokens.row_lengths(), tf.int32)
        meaningless = [vocabulary.index(piece) for piece in (UNKNOWN, WORD_START)]
        known = tf.reduce_any((tokens != meaningless[0]) & (tokens != meaningless[1]), axis=1)
        message = f"No piece of a text is in the vocabulary of {len(vocabulary)} pieces."
        checks = [
            tf.debugging.assert_positive(lengths, "A text is empty."),
            tf.debugging.assert_less_equal(lengths, MAX_PIECES, "A text has too many pieces."),
            tf.debugging.Assert(tf.reduce_all(known), [message]),
        ]
        with tf.control_dependencies(checks):
            source = tokens.to_tensor(vocabulary.index(PAD))
        return {"source": source, "source_lengths": lengths}

    def count_unknown(inputs):
        is_unknown = inputs["source"] == vocabulary.index(UNKNOWN)
        return count_tokens(is_unknown, inputs["source_lengths"])

    return text_entry("text", encode, table, count_unknown)


def join_pieces(pieces: tf.Tensor) -> tf.Tensor:
    """Return texts string [batch].

    Args:
        pieces: string [batch, time], padded with "".
    """
    text = tf.strings.reduce_join(pieces, axis=1)
    return tf.strings.strip(tf.strings.regex_replace(text, WORD_START, " "))


def _split_words(
    words: tf.Tensor, table: tf.lookup.StaticHashTable, longest: int, unknown: int
) -> tf.Tensor:
    """Return the pieces of words, int32 [words, pieces], padded with NONE.

    Args:
        words: string [words].
        table: index of each piece.
        longest: number of characters of the longest piece.
        unknown: index for a character that is in no piece.
    """
    lengths = tf.range(longest, 0, -1)[None, :]

    def unfinished(rest, pieces):
        return tf.reduce_any(rest != "")

    def body(rest, pieces):
        prefixes = tf.strings.substr(rest[:, None], 0 * lengths, lengths, CHARACTERS)
        found = table.lookup(prefixes)  # [words, longest], the longest prefix first
        first = tf.argmax(found != NONE, axis=1)
        piece, text = (tf.gather(of, first, batch_dims=1) for of in (found, prefixes))
        is_known, is_finished = piece != NONE, rest == ""
        length = tf.where(
            is_known, tf.strings.length(text, CHARACTERS), tf.where(is_finished, 0, 1)
        )
        piece = tf.where(is_known, piece, tf.where(is_finished, NONE, unknown))
        left = tf.strings.length(rest, CHARACTERS) - length
        rest = tf.strings.substr(rest, length, left, CHARACTERS)
        return rest, tf.concat([pieces, piece[:, None]], axis=1)

    pieces = tf.zeros([tf.size(words), 0], tf.int32)
    invariants = (tf.TensorShape([None]), tf.TensorShape([None, None]))
    return tf.while_loop(unfinished, body, (words, pieces), invariants)[1]
