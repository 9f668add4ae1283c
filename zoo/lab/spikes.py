"""Train a tiny network with CTC, and measure how its posteriors become sharp spikes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from zoo.common.data.labels import BLANK_INDEX
from zoo.common.utils.progress import progress

# Each sequence has LABELS labels, out of SYMBOLS - 1 letters, in FRAMES frames of FEATURES numbers.
SYMBOLS, LABELS, FRAMES, FEATURES = 4, 3, 40, 6
NOISE, UNITS, BATCH, STEPS, SEED = 1.0, 32, 16, 16, 0
HELD_OUT = 32


@dataclass(frozen=True)
class Sequences:
    """Synthetic recordings.

    Args:
        x: float32 [count, FRAMES, FEATURES].
        labels: int32 [count, LABELS], from 1.
        spans: int [count, LABELS, 2], the first frame of each label and the frame after its last one.
    """

    x: np.ndarray
    labels: np.ndarray
    spans: np.ndarray


def sequences(random: np.random.Generator, count: int) -> Sequences:
    """Return recordings. Each label has its own pattern for 4 to 8 frames, between silent frames."""
    patterns = np.random.default_rng(SEED).normal(size=(SYMBOLS, FEATURES))
    patterns[BLANK_INDEX] = 0.0
    labels = random.integers(1, SYMBOLS, (count, LABELS)).astype(np.int32)
    lengths = random.integers(4, 9, (count, LABELS))
    starts = np.cumsum(random.integers(2, 6, (count, LABELS)), axis=1)
    starts[:, 1:] += np.cumsum(lengths, axis=1)[:, :-1]
    spans = np.stack([starts, starts + lengths], axis=2)
    x = random.normal(size=(count, FRAMES, FEATURES)) * NOISE
    frames = np.arange(FRAMES)
    for label in range(LABELS):
        inside = (frames >= spans[:, label, :1]) & (frames < spans[:, label, 1:])
        x += inside[..., None] * patterns[labels[:, label], None]
    return Sequences(x.astype(np.float32), labels, spans)


def letters(labels: Sequence[int]) -> str:
    """Return labels as letters; label 1 is "a"."""
    return "".join(chr(ord("a") + label - 1) for label in labels)


@dataclass(frozen=True)
class Snapshot:
    """Measurements of the network after an epoch, on sequences that it was not trained on.

    Args:
        epoch: number of trained epochs.
        posteriors: float64 [HELD_OUT, FRAMES, SYMBOLS].
        loss: nats per sequence.
        label_error_rate: label error rate of the greedy search.
        height: posterior of a label at its spike on the best alignment; mean over labels.
        width: area under the posterior of a label, up to halfway to the neighboring spikes, divided by
            its height, in frames; mean over labels.
    """

    epoch: int
    posteriors: np.ndarray
    loss: float
    label_error_rate: float
    height: float
    width: float


def train(epochs: Sequence[int]) -> tuple[Sequences, list[Snapshot]]:
    """Train a bidirectional LSTM, and measure it after given epochs.

    Args:
        epochs: the epochs to measure; 0 is before training.

    Returns:
        The sequences for the measurements, and a snapshot for each of `epochs`.
    """
    import keras

    from zoo.common.ctc.loss import ctc_loss
    from zoo.common.layers.recurrent import LSTM, Bidirectional

    keras.utils.set_random_seed(SEED)
    x = keras.Input((FRAMES, FEATURES))
    h = Bidirectional(LSTM(UNITS, return_sequences=True))(x)
    model = keras.Model(x, keras.layers.Dense(SYMBOLS)(h))

    def loss_of(labels: Any, logits: Any) -> Any:
        rows = keras.ops.ones_like(labels[:, 0])
        return ctc_loss(logits, rows * FRAMES, labels, rows * LABELS)

    model.compile(keras.optimizers.Adam(1e-2), loss_of, jit_compile=False)
    random = np.random.default_rng(SEED + 1)
    held_out = sequences(random, HELD_OUT)
    snapshots = []
    for epoch in progress(range(max(epochs) + 1), "ctc", max(epochs) + 1, "epoch"):
        if epoch:
            training = sequences(random, BATCH * STEPS)
            model.fit(training.x, training.labels, batch_size=BATCH, shuffle=False, verbose=0)
        if epoch in epochs:
            logits = np.asarray(model(held_out.x, training=False))
            losses = np.asarray(loss_of(held_out.labels, logits))
            snapshots.append(_measure(epoch, logits, losses, held_out))
    return held_out, snapshots


def _measure(epoch: int, logits: np.ndarray, losses: np.ndarray, truth: Sequences) -> Snapshot:
    import jiwer

    from zoo.common.ctc.alignment import align
    from zoo.common.ctc.search import greedy_search
    from zoo.common.decoding.generation import log_softmax

    posteriors = np.exp(log_softmax(logits.astype(np.float64), np))
    shapes = []
    for row, posterior, labels in zip(logits, posteriors, truth.labels, strict=True):
        shapes += spike_shapes(posterior, labels, align(row, labels).spike)
    height, width = np.mean(shapes, axis=0)
    found = [letters(greedy_search(row).labels) for row in logits]
    return Snapshot(
        epoch=epoch,
        posteriors=posteriors,
        loss=float(losses.mean()),
        label_error_rate=jiwer.cer([letters(row) for row in truth.labels], found),
        height=float(height),
        width=float(width),
    )


def spike_shapes(
    posterior: np.ndarray, labels: np.ndarray, spikes: np.ndarray
) -> list[tuple[float, float]]:
    """Return the height and width of each label's spike; see `Snapshot`.

    Args:
        posterior: float64 [time, symbols].
        labels: int [labels].
        spikes: int [labels], the frame of each spike.
    """
    borders = [0, *(spikes[:-1] + spikes[1:] + 1) // 2, len(posterior)]
    shapes = []
    for i, (label, spike) in enumerate(zip(labels, spikes, strict=True)):
        height = posterior[spike, label]
        area = posterior[borders[i] : borders[i + 1], label].sum()
        shapes.append((height, area / height))
    return shapes
