"""tf.data pipelines of speech: from examples to batches of features with explicit lengths."""

from __future__ import annotations

import functools
import sys
import warnings
from typing import TYPE_CHECKING

import numpy as np
import soxr
import tensorflow as tf

from zoo.common.ctc import BLANK_INDEX
from zoo.common.errors import ZooError
from zoo.speech.audio import read_audio

if TYPE_CHECKING:
    import keras

    from zoo.speech.corpora import Example
    from zoo.speech.task import SpecAugment

# Batches are padded to a multiple of so many frames, so that few shapes are compiled.
BUCKET_FRAMES = 96
BUCKETS = 12


def bucket(frames: int) -> int:
    """Which of the buckets an utterance of so many frames falls into; the last holds all longer."""
    return min(max(0, frames - 1) // BUCKET_FRAMES, BUCKETS)


def training_batches(
    examples: list[Example],
    labels: list[list[int]],
    front_end: keras.Model,
    *,
    sample_rate: int,
    batch_size: int,
    speeds: tuple[float, ...],
    spec_augment: SpecAugment | None,
    seed: int,
    epoch: int,
) -> tf.data.Dataset:
    """Batches (x, y, ids) of one epoch in an order, at speeds and under masks that (seed, epoch) fix.

    x: `features` float32 [batch, frames, mel_bins], padded with 0, and `frames` int32 [batch].
    y: `labels` int32 [batch, max_labels], padded with the blank, and `label_lengths` int32 [batch].
    ids: string [batch].
    """
    if spec_augment is not None:
        _tensorflow_io_audio()  # inside the graph its error would lose its words
    generator = np.random.default_rng([seed, epoch])
    order = generator.permutation(len(examples))
    speed = generator.choice(speeds, len(examples))

    def load(index, speed):
        try:
            waveform = read_audio(examples[index].audio, sample_rate)
        except ZooError as error:  # it could be read when the run began
            print(f"Left out of epoch {epoch + 1}: {error}", file=sys.stderr, flush=True)
            waveform = np.zeros(0, np.float32)
        if speed != 1.0:
            waveform = soxr.resample(waveform, sample_rate * speed, sample_rate)
        return waveform, np.array(labels[index], np.int32), examples[index].id

    def to_waveform(index, speed):
        waveform, label, id_ = tf.numpy_function(
            load, (index, speed), (tf.float32, tf.int32, tf.string), stateful=False
        )
        return tf.ensure_shape(waveform, [None]), label, id_

    def to_features(waveform, label, id_):
        features = front_end(
            {"waveform": waveform[tf.newaxis], "lengths": tf.shape(waveform)[tf.newaxis]}
        )[0]
        return features, tf.ensure_shape(label, [None]), tf.ensure_shape(id_, [])

    def pad_spec(features, label, id_):
        x = {"features": features, "frames": tf.shape(features)[0]}
        return x, {"labels": label, "label_lengths": tf.shape(label)[0]}, id_

    dataset = tf.data.Dataset.from_tensor_slices((order, speed))
    dataset = dataset.map(to_waveform, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    dataset = dataset.filter(lambda waveform, label, id_: tf.size(waveform) > 0)
    dataset = dataset.map(to_features, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if spec_augment is not None:
        # One at a time: the masks draw from TensorFlow's global generator, in order.
        tf.random.set_seed(int(generator.integers(2**31)))
        dataset = dataset.map(
            lambda features, *rest: (spec_augmented(features, spec_augment), *rest)
        )
    dataset = dataset.map(pad_spec)
    dataset = dataset.bucket_by_sequence_length(
        lambda x, y, id_: x["frames"],
        bucket_boundaries=[1 + BUCKET_FRAMES * (i + 1) for i in range(BUCKETS)],
        bucket_batch_sizes=[batch_size] * (BUCKETS + 1),
        padding_values=(
            {"features": 0.0, "frames": 0},
            {"labels": BLANK_INDEX, "label_lengths": 0},
            "",
        ),
    )
    return dataset.prefetch(2)


def spec_augmented(features: tf.Tensor, config: SpecAugment) -> tf.Tensor:
    """`features` [frames, mel_bins] with random bands of frequency and time set to 0, their mean.

    Park et al., "SpecAugment" (2019), without time warping.
    """
    audio = _tensorflow_io_audio()
    for _ in range(config.freq_masks):
        # A mask leaves at least one bin: that is the most tensorflow-io can draw.
        features = audio.freq_mask(features, min(config.freq_width, features.shape[1] - 1) + 1)
    longest = tf.cast(tf.cast(tf.shape(features)[0], tf.float32) * config.time_share, tf.int32)
    for _ in range(config.time_masks):
        features = audio.time_mask(features, tf.minimum(config.time_width, longest) + 1)
    return features


@functools.cache
def _tensorflow_io_audio():
    """tensorflow-io's audio operations. Its native libraries do not load on this TensorFlow, and it
    warns of it; the masks are pure TensorFlow and do not need them."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from tensorflow_io.python.ops import audio_ops
    except ImportError:
        raise ZooError(
            "SpecAugment needs tensorflow-io, which has no build for Python 3.13. Use Python 3.11 or "
            "3.12, or train without masks: --set task.spec_augment.freq_masks=0 "
            "--set task.spec_augment.time_masks=0"
        ) from None
    return audio_ops
