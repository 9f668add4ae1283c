"""Training batches of captioned images, from features that are at hand."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from zoo.vision_language.vgg16 import SHAPE

# Captions are sorted by length within so many batches: little padding, and batches that still differ
# from epoch to epoch.
WINDOW = 16


class Pair(NamedTuple):
    """An image with one of its captions.

    id: str. place: int. The image's row in the table of features.
    tokens: list of int. The caption between the tokens that start and end it.
    """

    id: str
    place: int
    tokens: list[int]


def training_batches(
    table: np.ndarray, pairs: Sequence[Pair], batch_size: int, padding: int, seed: int, epoch: int
) -> tf.data.Dataset:
    """The batches (x, y, ids) of an epoch, the same ones for the same seed and epoch.

    x: `features` float32 [batch, 6, 6, 512] and `tokens` int32 [batch, time], each caption from its
        start to its last word.
    y: `targets` int32 [batch, time], from its first word to its end, and `lengths` int32 [batch], how
        many targets each has; beyond them stands `padding`.
    ids: string [batch].
    """

    def batches() -> Iterator[tuple]:
        generator = np.random.default_rng((seed, epoch))
        order = generator.permutation(len(pairs))
        groups = []
        for start in range(0, len(order), WINDOW * batch_size):
            window = order[start : start + WINDOW * batch_size]
            window = sorted(window, key=lambda i: len(pairs[i].tokens))
            groups += [window[i : i + batch_size] for i in range(0, len(window), batch_size)]
        for group in generator.permutation(len(groups)):
            chosen = [pairs[i] for i in groups[group]]
            lengths = np.array([len(pair.tokens) - 1 for pair in chosen], np.int32)
            tokens = np.full((len(chosen), lengths.max() + 1), padding, np.int32)
            for row, pair in zip(tokens, chosen, strict=True):
                row[: len(pair.tokens)] = pair.tokens
            words = np.where(np.arange(lengths.max()) < lengths[:, None], tokens[:, :-1], padding)
            features = table[[pair.place for pair in chosen]].astype(np.float32)
            yield (
                {"features": features, "tokens": words},
                {"targets": tokens[:, 1:], "lengths": lengths},
                np.array([pair.id for pair in chosen], object),
            )

    whole = tf.TensorSpec([None, None], tf.int32)
    return tf.data.Dataset.from_generator(
        batches,
        output_signature=(
            {"features": tf.TensorSpec([None, *SHAPE], tf.float32), "tokens": whole},
            {"targets": whole, "lengths": tf.TensorSpec([None], tf.int32)},
            tf.TensorSpec([None], tf.string),
        ),
    ).prefetch(2)
