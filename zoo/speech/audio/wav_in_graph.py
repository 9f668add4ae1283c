"""Decode WAV files with any sample width inside a TensorFlow graph.

`tf.audio.decode_wav` only supports 16 bits. A WAV file is "RIFF", a size, "WAVE", and chunks: a name of
four letters, a size, and that number of bytes, padded to an even number. The chunk "fmt " describes the
samples in the chunk "data".
"""

from __future__ import annotations

import tensorflow as tf
from keras import ops

from zoo.speech.audio.channels import are_cancelled

PCM, IEEE_FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
# Types of samples: number of the format, and bits per sample.
KINDS = ((PCM, 8), (PCM, 16), (PCM, 24), (PCM, 32), (IEEE_FLOAT, 32), (IEEE_FLOAT, 64))
# Number of bytes of the fixed part of "fmt ", and of an extensible one.
FORMAT_BYTES, EXTENSIBLE_BYTES = 16, 26


def decode_wav(contents: tf.Tensor, sample_rate: int) -> tf.Tensor:
    """Return the waveform of a WAV file, float32 [samples], as `read_audio`.

    Args:
        contents: string [], PCM of 8, 16, 24 or 32 bits, or floats of 32 or 64 bits. Any other file is
            an error of the graph.
        sample_rate: sample rate in Hz. A file with another rate is an error of the graph.
    """
    with tf.control_dependencies([_check(_is_wav(contents), ["A file must be a WAV file."])]):
        form, data = _chunks(contents)
    whole = tf.strings.length(form) >= FORMAT_BYTES
    with tf.control_dependencies([_check(whole, ["The WAV file has no valid chunk fmt."])]):
        form = tf.strings.join([form, tf.constant(bytes(EXTENSIBLE_BYTES))])
    number, channels = _number(form, 0, tf.uint16), _number(form, 2, tf.uint16)
    rate, bits = _number(form, 4, tf.int32), _number(form, 14, tf.uint16)
    number = tf.where(number == EXTENSIBLE, _number(form, 24, tf.uint16), number)
    is_kind = tf.reduce_all(tf.constant(KINDS) == tf.stack([number, bits]), axis=1)
    checks = [
        _check(
            tf.reduce_any(is_kind) & (channels >= 1),
            [
                "The WAV file must be PCM of 8, 16, 24 or 32 bits, or floats of 32 or 64. Received the "
                "format, bits and channels",
                *(number, bits, channels),
            ],
        ),
        _check(rate == sample_rate, [f"The WAV file must have {sample_rate} Hz. Received:", rate]),
    ]
    with tf.control_dependencies(checks):
        kind = tf.argmax(tf.cast(is_kind, tf.int32), output_type=tf.int32)
    frame = tf.maximum(channels * bits // 8, 1)
    data = tf.strings.substr(data, 0, tf.strings.length(data) // frame * frame)
    samples = tf.switch_case(kind, [lambda k=k: _samples(data, *k) for k in KINDS])
    finite = _check(
        tf.reduce_all(tf.math.is_finite(samples)), ["The samples of the WAV file must be finite."]
    )
    with tf.control_dependencies([finite]):
        return _mixed(tf.reshape(samples, [-1, tf.maximum(channels, 1)]))


def _mixed(samples: tf.Tensor) -> tf.Tensor:
    """Return the mean of the channels of [samples, channels]; the loudest if they cancel each other."""
    mean = tf.reduce_mean(samples, axis=1)
    powers = tf.math.reduce_variance(samples, axis=0)
    loudest = tf.gather(samples, tf.argmax(powers), axis=1)
    cancelled = are_cancelled(powers, tf.math.reduce_variance(mean), ops)
    return tf.where(cancelled, loudest, mean)


def _is_wav(contents: tf.Tensor) -> tf.Tensor:
    return tf.strings.regex_full_match(contents, r"(?s)RIFF\C\C\C\CWAVE\C*")


def _chunks(contents: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Return the content of the chunks "fmt " and "data"; "" for a missing one."""
    length = tf.strings.length(contents)

    def unfinished(at, form, data, found):
        return (at + 8 <= length) & ~found

    def body(at, form, data, found):
        name, begin = tf.strings.substr(contents, at, 4), at + 8
        size = _number(contents, at + 4, tf.int32)
        # A file that is being written states the maximum size, which is negative as an int32.
        size = tf.where(size < 0, length - begin, tf.minimum(size, length - begin))
        part = tf.strings.substr(contents, begin, size)
        form = tf.where(name == "fmt ", part, form)
        data = tf.where(name == "data", part, data)
        return begin + size + size % 2, form, data, name == "data"

    start = (tf.constant(12), tf.constant(""), tf.constant(""), tf.constant(False))
    _, form, data, _ = tf.while_loop(unfinished, body, start)
    return form, data


def _number(text: tf.Tensor, at, kind: tf.DType) -> tf.Tensor:
    """Return the little-endian number at an offset as int32 []."""
    part = tf.strings.substr(text, at, kind.size)
    return tf.cast(tf.io.decode_raw(part, kind)[0], tf.int32)


def _samples(data: tf.Tensor, number: int, bits: int) -> tf.Tensor:
    """Return float32 [samples] from -1 to 1, with the channels interleaved."""
    if number == IEEE_FLOAT:
        return tf.cast(tf.io.decode_raw(data, {32: tf.float32, 64: tf.float64}[bits]), tf.float32)
    if bits == 24:
        low, middle, high = tf.unstack(
            tf.cast(tf.reshape(tf.io.decode_raw(data, tf.uint8), [-1, 3]), tf.int32), axis=1
        )
        values = low + 256 * middle + 65536 * tf.where(high < 128, high, high - 256)
    else:
        kind = {8: tf.uint8, 16: tf.int16, 32: tf.int32}[bits]
        values = tf.io.decode_raw(data, kind)
    values = tf.cast(values, tf.float32)
    return (values - 128.0) / 128.0 if bits == 8 else values / 2.0 ** (bits - 1)


def _check(condition: tf.Tensor, words: list) -> tf.Operation:
    return tf.debugging.Assert(condition, words)
