"""Text as input of a TensorFlow graph, for the signatures of a SavedModel.

TensorFlow without `tensorflow_text` has no operation that converts a text to NFC. A graph therefore
refuses a text that is not in NFC, while the readers of `zoo.common.data.text` convert it.
"""

from __future__ import annotations

import functools
import unicodedata
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from zoo.common.core.capabilities import RawInput
from zoo.common.data.text import SPACE, normalize

# Hangul: the first characters of leads, vowels, tails and syllables, and their numbers.
LEAD, VOWEL, TAIL, SYLLABLE = 0x1100, 0x1161, 0x11A7, 0xAC00
LEADS, VOWELS, TAILS = 19, 21, 28
# Number of Unicode's planes that have characters with a decomposition or a combining class.
PLANES = 3
# Two characters as one key.
KEY = 2**21


def text_entry(
    name: str,
    encode: Callable[[tf.Tensor], dict[str, tf.Tensor]],
    table: tf.lookup.StaticHashTable,
    count_unknown: Callable[[dict[str, tf.Tensor]], tf.Tensor] | None = None,
) -> RawInput:
    """Return the raw input for texts, string [batch], UTF-8.

    Invalid UTF-8 and a text that is not in the normal form NFC are errors of the graph.

    Args:
        name: name of the input.
        encode: maps texts to model inputs.
        table: lookup table that `encode` uses.
        count_unknown: maps model inputs to the number of unknown tokens of each text, int32 [batch],
            which is then the output `unknown`.
    """

    def metadata(inputs):
        return {"unknown": count_unknown(inputs)} if count_unknown else {}

    def checked(text):
        valid = tf.strings.unicode_transcode(
            text, "UTF-8", "UTF-8", errors="replace", replace_control_characters=False
        )
        check = tf.debugging.Assert(tf.reduce_all(text == valid), [f"The {name} must be UTF-8."])
        with tf.control_dependencies([check]):
            text = tf.identity(text)
        message = f"The {name} must be in the Unicode normal form NFC."
        with tf.control_dependencies([tf.debugging.Assert(is_normal(text), [message])]):
            return encode(tf.identity(text))

    return RawInput([tf.TensorSpec([None], tf.string, name)], checked, (table,), metadata)


def count_tokens(is_counted: tf.Tensor, lengths: tf.Tensor) -> tf.Tensor:
    """Return the number of tokens of each text that are counted, int32 [batch].

    Args:
        is_counted: bool [batch, tokens].
        lengths: int32 [batch], the number of tokens without padding.
    """
    inside = tf.sequence_mask(lengths, tf.shape(is_counted)[1])
    return tf.math.count_nonzero(is_counted & inside, axis=1, dtype=tf.int32)


def single_spaces(text: tf.Tensor) -> tf.Tensor:
    """Return texts with one space for each run of white space, without those at both ends."""
    return tf.strings.strip(tf.strings.regex_replace(text, f"{SPACE}+", " "))


def is_normal(text: tf.Tensor) -> tf.Tensor:
    """Return whether all texts are in NFC, bool [].

    A text is not in NFC if a character changes alone; if two marks are not in the order of their
    combining classes; or if a character combines with the last one that is not a mark, where all marks
    between them have lower classes.

    Args:
        text: string [batch], UTF-8.
    """
    changed, marks, mark_classes, pairs = _tables()
    # The line break, which combines with no character, separates the texts.
    codes = tf.strings.unicode_decode(tf.strings.join(["\n", text]), "UTF-8").flat_values
    place = tf.minimum(tf.searchsorted(marks, codes), len(marks) - 1)
    classes = tf.where(tf.gather(marks, place) == codes, tf.gather(mark_classes, place), 0)
    bases = tf.boolean_mask(codes, classes == 0)
    base = tf.gather(bases, tf.cumsum(tf.cast(classes == 0, tf.int32)) - 1)[:-1]
    code, before, own = codes[1:], classes[:-1], classes[1:]
    key = tf.cast(base, tf.int64) * KEY + tf.cast(code, tf.int64)
    combines = _is_in(key, pairs) | _is_syllable(base, code)
    abnormal = (combines & ((before == 0) | (before < own))) | ((own > 0) & (before > own))
    return ~(tf.reduce_any(abnormal) | tf.reduce_any(_is_in(codes, changed)))


def _is_syllable(base: tf.Tensor, code: tf.Tensor) -> tf.Tensor:
    """Return whether two characters combine to a syllable of Hangul."""

    def between(value, start, count):
        return (value >= start) & (value < start + count)

    has_no_tail = between(base, SYLLABLE, LEADS * VOWELS * TAILS) & ((base - SYLLABLE) % TAILS == 0)
    return (between(base, LEAD, LEADS) & between(code, VOWEL, VOWELS)) | (
        has_no_tail & between(code, TAIL + 1, TAILS - 1)
    )


def _is_in(values: tf.Tensor, members: np.ndarray) -> tf.Tensor:
    """Return whether each value is in a sorted array."""
    place = tf.minimum(tf.searchsorted(members, values), len(members) - 1)
    return tf.gather(members, place) == values


@functools.cache
def _tables() -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Return the characters of Unicode that matter to NFC.

    Returns:
        int32, sorted: the characters that NFC changes; the characters with a combining class above 0,
        and their classes; and int64, sorted: the keys of pairs that NFC changes, except Hangul.
    """
    characters = list(map(chr, (*range(0xD800), *range(0xE000, PLANES * 0x10000))))
    changed = [c for c in characters if not unicodedata.is_normalized("NFC", c)]
    marks = [c for c in characters if unicodedata.combining(c)]
    first, second = set(), set()
    for c in characters:
        parts = unicodedata.decomposition(c).split(" ")
        if len(parts) == 2 and not parts[0].startswith("<"):
            base, mark = (chr(int(part, 16)) for part in parts)
            first |= {base, c}
            second.add(mark)
    pairs = [ord(a) * KEY + ord(b) for a in first for b in second if normalize(a + b) != a + b]
    codes = (np.array(sorted(map(ord, group)), np.int32) for group in (changed, marks))
    classes = np.array([unicodedata.combining(c) for c in marks], np.int32)
    return next(codes), next(codes), classes, np.array(sorted(pairs), np.int64)
