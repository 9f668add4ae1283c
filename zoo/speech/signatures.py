"""The ways into a SavedModel of speech: waveforms, and the bytes of WAV files."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from zoo.common.core.data import RawInput

Prepare = Callable[[tf.Tensor, tf.Tensor], dict[str, Any]]


def waveform_input(prepare: Prepare | None = None) -> RawInput:
    """Return the way in for `waveform` float32 [batch, samples] with `lengths` int32 [batch].

    Args:
        prepare: of the two, to the model's inputs; None where they are these.
    """
    spec = [
        tf.TensorSpec([None, None], tf.float32, "waveform"),
        tf.TensorSpec([None], tf.int32, "lengths"),
    ]
    return RawInput(spec, prepare or _as_they_are)


def wav_input(sample_rate: int, prepare: Prepare | None = None) -> RawInput:
    """Return the way in for `wav` string [batch]: files of 16-bit PCM at the model's sample rate.

    Args:
        prepare: as of `waveform_input`.
    """

    def decode(contents):
        audio, file_rate = tf.audio.decode_wav(contents)
        check = tf.debugging.Assert(
            file_rate == sample_rate,
            [f"The WAV file must have {sample_rate} Hz. Received:", file_rate],
        )
        with tf.control_dependencies([check]):
            return tf.reduce_mean(audio, axis=1)

    def to_inputs(wav):
        waveforms = tf.map_fn(
            lambda contents: tf.RaggedTensor.from_tensor(decode(contents)[tf.newaxis])[0],
            wav,
            fn_output_signature=tf.RaggedTensorSpec([None], tf.float32, ragged_rank=0),
        )
        lengths = tf.cast(waveforms.row_lengths(), tf.int32)
        return (prepare or _as_they_are)(waveforms.to_tensor(), lengths)

    return RawInput([tf.TensorSpec([None], tf.string, "wav")], to_inputs)


def _as_they_are(waveform: tf.Tensor, lengths: tf.Tensor) -> dict[str, Any]:
    return {"waveform": waveform, "lengths": lengths}
