"""The ways into a SavedModel of speech: waveforms, and the bytes of WAV files."""

from __future__ import annotations

import tensorflow as tf

from zoo.common.core.data import RawInput


def waveform_input() -> RawInput:
    """Return the way in for `waveform` float32 [batch, samples] with `lengths` int32 [batch]."""
    spec = [
        tf.TensorSpec([None, None], tf.float32, "waveform"),
        tf.TensorSpec([None], tf.int32, "lengths"),
    ]
    return RawInput(spec, lambda waveform, lengths: {"waveform": waveform, "lengths": lengths})


def wav_input(sample_rate: int) -> RawInput:
    """Return the way in for `wav` string [batch]: files of 16-bit PCM at the model's sample rate."""

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
        return {"waveform": waveforms.to_tensor(), "lengths": lengths}

    return RawInput([tf.TensorSpec([None], tf.string, "wav")], to_inputs)
