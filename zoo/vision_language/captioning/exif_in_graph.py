"""Read and apply the EXIF orientation of JPEG files inside a TensorFlow graph.

A JPEG file consists of segments: 0xFF, a marker, the size of the content including the two bytes of the
size, and the content. The segment with the marker 0xE1 whose content begins with "Exif" has a TIFF
header, which has the position of a table of tags.
"""

from __future__ import annotations

import tensorflow as tf

APP1, START_OF_SCAN, FILL = 0xE1, 0xDA, 0xFF
EXIF = b"Exif\x00\x00"
ORIENTATION = 0x0112
HEADER_BYTES, ENTRY_BYTES = 8, 12


def exif_orientation(contents: tf.Tensor) -> tf.Tensor:
    """Return the EXIF orientation of a JPEG file, from 1 to 8.

    Args:
        contents: string [], the bytes of the file.

    Returns:
        int32 []; 1, no change, if the file has no valid orientation.
    """
    tiff = _find_exif(contents)
    content = tf.cast(tf.io.decode_raw(tiff, tf.uint8), tf.int32)
    content = tf.pad(content, [[0, HEADER_BYTES]])
    is_little = tf.strings.regex_full_match(tiff, r"II\C*")

    def number(pairs):
        """Return the number of two bytes [..., 2] in the byte order of the file."""
        return tf.where(
            is_little, pairs[..., 0] + 256 * pairs[..., 1], 256 * pairs[..., 0] + pairs[..., 1]
        )

    # The table is near the beginning. Positions from 65536 are not supported.
    begin = number(tf.where(is_little, content[4:6], content[6:8]))
    begin = tf.minimum(begin, tf.size(content) - 2)
    count = number(content[begin : begin + 2])
    count = tf.minimum(count, (tf.size(content) - begin - 2) // ENTRY_BYTES)
    table = content[begin + 2 : begin + 2 + ENTRY_BYTES * count]
    table = tf.reshape(table, [-1, ENTRY_BYTES])
    is_orientation = number(table[:, :2]) == ORIENTATION
    found = tf.boolean_mask(number(table[:, 8:10]), is_orientation)
    value = tf.concat([found, [1]], axis=0)[0]
    return tf.where((value >= 1) & (value <= 8), value, 1)


def apply_orientation(pixels: tf.Tensor, orientation: tf.Tensor) -> tf.Tensor:
    """Return pixels with an EXIF orientation applied.

    Args:
        pixels: [height, width, 3].
        orientation: int32 [], from 1 to 8.

    Returns:
        [height, width, 3] or [width, height, 3].
    """
    transposed, mirrored, upside_down = (
        tf.reduce_any(orientation == values)
        for values in ([5, 6, 7, 8], [2, 3, 6, 7], [3, 4, 7, 8])
    )
    pixels = tf.cond(transposed, lambda: tf.transpose(pixels, [1, 0, 2]), lambda: pixels)
    pixels = tf.cond(mirrored, lambda: pixels[:, ::-1], lambda: pixels)
    return tf.cond(upside_down, lambda: pixels[::-1], lambda: pixels)


def _find_exif(contents: tf.Tensor) -> tf.Tensor:
    """Return the bytes from the TIFF header to the end of its segment, string []; "" without one."""
    length = tf.strings.length(contents)

    def byte(at):
        return tf.cast(tf.io.decode_raw(tf.strings.substr(contents, at, 1), tf.uint8)[0], tf.int32)

    def unfinished(at, tiff, ended):
        return (at + 4 <= length) & ~ended

    def body(at, tiff, ended):
        first, marker = byte(at), byte(at + 1)
        size = 256 * byte(at + 2) + byte(at + 3)
        size = tf.clip_by_value(size, 2, length - at - 2)
        part = tf.strings.substr(contents, at + 4, size - 2)
        is_exif = (marker == APP1) & tf.strings.regex_full_match(part, r"Exif\x00\x00\C*")
        rest = tf.strings.substr(tf.strings.join([part, EXIF]), len(EXIF), tf.maximum(size - 8, 0))
        tiff = tf.where(is_exif, rest, tiff)
        ended = (first != FILL) | (marker == START_OF_SCAN) | is_exif
        return tf.where(marker == FILL, at + 1, at + 2 + size), tiff, ended

    return tf.while_loop(unfinished, body, (tf.constant(2), tf.constant(""), tf.constant(False)))[1]
