"""tf.data pipelines of speech: from examples to batches of features with explicit lengths."""

from __future__ import annotations

import functools
import sys
import warnings
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
import soxr
import tensorflow as tf

from zoo.common.core.data import Batch, Batches
from zoo.common.core.errors import ZooError
from zoo.common.ctc.search import BLANK_INDEX

if TYPE_CHECKING:
    import keras

    from zoo.common.core.recipe import Recipe
    from zoo.speech.features.spec_augment import SpecAugment
    from zoo.speech.utterance import Utterance

# An utterance is in the bucket of those that have as many times so many frames.
BUCKET_FRAMES = 96
BUCKETS = 12
# Batches are padded to a multiple of so many frames: recurrent layers are compiled for each length.
PADDING_FRAMES = 24


def bucket(frames: int) -> int:
    """Return which of the buckets an utterance of so many frames is in; the last holds all longer."""
    return min(max(0, frames - 1) // BUCKET_FRAMES, BUCKETS)


def training_batches(
    examples: list[Utterance],
    targets: Sequence[np.ndarray],
    front_end: keras.Model,
    recipe: Recipe,
    epoch: int,
) -> Batches:
    """Return the batches of an epoch, in an order, at speeds and under masks that its number and the
    recipe's seed fix.

    Args:
        targets: of each example, its CTC labels int32 [labels], or its class, an int32.
        front_end: from `waveform` and `lengths` to normalised features.
        recipe: its data is `Utterances`, its model an `AcousticModel`.

    Returns:
        x: `features` float32 [batch, frames, mel_bins], padded with 0, and `frames` int32 [batch].
        y: `labels` int32 [batch, max_labels], padded with the blank, and `label_lengths` int32 [batch];
        or `label` int32 [batch].

    Raises:
        ZooError: there are masks, and tensorflow-io is not installed.
    """
    if _has_masks(recipe.data.spec_augment):
        _tensorflow_io_audio()  # inside the graph its error would lose its words

    def generate() -> Iterator[Batch]:
        dataset = _dataset(examples, targets, front_end, recipe, epoch)
        for x, y, ids in dataset.as_numpy_iterator():
            yield x, y, np.array([id_.decode() for id_ in ids])

    bins = recipe.model.features.mel_bins
    x = {"features": ((None, None, bins), "float32"), "frames": ((None,), "int32")}
    if targets[0].shape:
        y = {"labels": ((None, None), "int32"), "label_lengths": ((None,), "int32")}
    else:
        y = {"label": ((None,), "int32")}
    return Batches(generate, (x, y))


def _dataset(
    examples: list[Utterance],
    targets: Sequence[np.ndarray],
    front_end: keras.Model,
    recipe: Recipe,
    epoch: int,
) -> tf.data.Dataset:
    rate, masks = recipe.model.features.sample_rate, recipe.data.spec_augment
    generator = np.random.default_rng([recipe.training.seed, epoch])
    order = generator.permutation(len(examples))
    speed = generator.choice(recipe.data.speed_perturbation, len(examples))

    def load(index, speed):
        try:
            waveform = recipe.data.read_example(examples[index], recipe)["waveform"]
        except ZooError as error:  # it could be read when the run began
            print(f"Left out of epoch {epoch + 1}: {error}", file=sys.stderr, flush=True)
            waveform = np.zeros(0, np.float32)
        if speed != 1.0:
            waveform = soxr.resample(waveform, rate * speed, rate)
        return waveform, targets[index], examples[index].id

    def to_waveform(index, speed):
        waveform, target, id_ = tf.numpy_function(
            load, (index, speed), (tf.float32, tf.int32, tf.string), stateful=False
        )
        return tf.ensure_shape(waveform, [None]), target, id_

    def to_features(waveform, target, id_):
        features = front_end(
            {"waveform": waveform[tf.newaxis], "lengths": tf.shape(waveform)[tf.newaxis]}
        )[0]
        target = tf.ensure_shape(target, [None] * targets[0].ndim)
        return features, target, tf.ensure_shape(id_, [])

    def to_example(features, target, id_):
        x = {"features": features, "frames": tf.shape(features)[0]}
        if target.shape.rank == 0:
            return x, {"label": target}, id_
        return x, {"labels": target, "label_lengths": tf.shape(target)[0]}, id_

    dataset = tf.data.Dataset.from_tensor_slices((order, speed))
    dataset = dataset.map(to_waveform, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    dataset = dataset.filter(lambda waveform, target, id_: tf.size(waveform) > 0)
    dataset = dataset.map(to_features, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
    if _has_masks(masks):
        # One at a time: the masks draw from TensorFlow's global generator, in order.
        tf.random.set_seed(int(generator.integers(2**31)))
        dataset = dataset.map(lambda features, *rest: (spec_augmented(features, masks), *rest))
    dataset = dataset.map(to_example)
    _, y, _ = dataset.element_spec
    dataset = dataset.bucket_by_sequence_length(
        lambda x, y, id_: x["frames"],
        bucket_boundaries=[1 + BUCKET_FRAMES * (i + 1) for i in range(BUCKETS)],
        bucket_batch_sizes=[recipe.training.batch_size] * (BUCKETS + 1),
        padding_values=({"features": 0.0, "frames": 0}, dict.fromkeys(y, BLANK_INDEX), ""),
    )
    return dataset.map(_to_few_lengths).prefetch(2)


def _to_few_lengths(x, y, id_):
    missing = -tf.shape(x["features"])[1] % PADDING_FRAMES
    return x | {"features": tf.pad(x["features"], [[0, 0], [0, missing], [0, 0]])}, y, id_


def _has_masks(masks: SpecAugment) -> bool:
    return masks.freq_masks > 0 or masks.time_masks > 0


def spec_augmented(features: tf.Tensor, config: SpecAugment) -> tf.Tensor:
    """Return `features` [frames, mel_bins] with random bands of frequency and time set to 0, their mean.

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
            "SpecAugment needs tensorflow-io, which is not installed: pip install "
            "'recurrent-zoo[train]' (Python 3.11 or 3.12). Or train without masks: --set "
            "data.spec_augment.freq_masks=0 --set data.spec_augment.time_masks=0"
        ) from None
    return audio_ops
