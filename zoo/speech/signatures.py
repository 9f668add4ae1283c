"""Raw inputs of SavedModels of speech: waveforms, and the bytes of WAV files."""

from __future__ import annotations

import tensorflow as tf

from zoo.common.core.capabilities import RawInput
from zoo.common.data.sequence_input import Prepare, checked_lengths, sequence_input
from zoo.speech.acoustic import FrontEnd
from zoo.speech.audio.wav_in_graph import decode_wav


def waveform_input(features: FrontEnd, prepare: Prepare | None = None) -> RawInput:
    """Return the raw input for `waveform` float32 [batch, samples] with `lengths` int32 [batch].

    Args:
        features: front end of the model.
        prepare: as in `sequence_input`.
    """
    return sequence_input("waveform", (), "samples", features.window_samples, prepare)


def wav_input(features: FrontEnd, prepare: Prepare | None = None) -> RawInput:
    """Return the raw input for `wav` string [batch], files that `decode_wav` reads.

    Args:
        features: front end of the model.
        prepare: as in `sequence_input`.
    """

    def to_inputs(wav):
        waveforms = tf.map_fn(
            lambda contents: tf.RaggedTensor.from_tensor(
                decode_wav(contents, features.sample_rate)[tf.newaxis]
            )[0],
            wav,
            fn_output_signature=tf.RaggedTensorSpec([None], tf.float32, ragged_rank=0),
        )
        waveform, lengths = waveforms.to_tensor(), tf.cast(waveforms.row_lengths(), tf.int32)
        lengths = checked_lengths(
            lengths, tf.shape(waveform)[1], "samples", features.window_samples
        )
        return prepare(waveform, lengths) if prepare else {"waveform": waveform, "lengths": lengths}

    return RawInput([tf.TensorSpec([None], tf.string, "wav")], to_inputs)
