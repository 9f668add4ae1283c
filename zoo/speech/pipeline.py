"""Training batches of recordings: features with explicit lengths, in batches of similar length.

Recordings are read in threads. The front end of the model computes the features of a whole batch on any
backend of Keras.
"""

from __future__ import annotations

import functools
import os
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import soxr

from zoo.common.core.data import Batch, Batches, Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.model import Function
from zoo.common.data.batching import pad, pad_to_multiple
from zoo.common.runtime.keras_model import keras_function
from zoo.speech.acoustic import AcousticModel
from zoo.speech.audio.augmentation import Augmentation
from zoo.speech.features.spec_augment import SpecAugment, apply_masks

# Examples of a batch are in the same bucket: each bucket covers a range of this many frames.
BUCKET_FRAMES = 96
BUCKETS = 12
# Batches are padded to a multiple of this many frames: recurrent layers are compiled for each length.
PADDING_FRAMES = 24

THREADS = min(8, os.cpu_count() or 1)
InputT = TypeVar("InputT")
OutputT = TypeVar("OutputT")


@dataclass(frozen=True)
class TrainingInput:
    """A training example.

    Args:
        id: id of the example.
        seconds: duration of the recording.
        read: returns the waveform, float32 [samples], or raises `ZooError`.
        target: target of the example, an element of the argument of `collate_targets`.
    """

    id: str
    seconds: float
    read: Callable[[], np.ndarray]
    target: Any


def bucket(frames: int) -> int:
    """Return the bucket of a recording with this many frames. The last bucket has all longer ones."""
    return min(max(0, frames - 1) // BUCKET_FRAMES, BUCKETS)


def training_batches(
    inputs: Sequence[TrainingInput],
    config: AcousticModel,
    network: Any,
    epoch: Epoch,
    *,
    speeds: Sequence[float],
    augmentation: Augmentation,
    spec_augment: SpecAugment,
    target_spec: dict[str, tuple],
    collate_targets: Callable[[list[Any]], dict[str, np.ndarray]],
) -> Batches:
    """Return the batches of an epoch. Their order and all random changes follow from
    `epoch`.

    A recording that became unreadable is left out, with a message on stderr.

    Args:
        inputs: the training examples.
        config: config of the model.
        network: the built model, whose front end computes the features.
        epoch: number of the epoch, batch size and seed.
        speeds: factors of speed; one is drawn for each example.
        augmentation: changes of the recordings, drawn for each example.
        spec_augment: masks, drawn for each example.
        target_spec: shape and dtype of each array of y, by name.
        collate_targets: maps the targets of a batch to y.

    Returns:
        Batches with x: `features` float32 [batch, frames, size], padded with 0, and `frames` int32
        [batch].
    """
    features = config.features
    frames = (features.frames(int(each.seconds * features.sample_rate)) for each in inputs)
    steps = sum(-(-n // epoch.batch_size) for n in Counter(map(bucket, frames)).values())

    def generate() -> Iterator[Batch]:
        generator = epoch.generator()
        order = generator.permutation(len(inputs))
        drawn_speeds = generator.choice(speeds, len(inputs))
        draws = generator.random((len(inputs), spec_augment.num_masks, 2), np.float32)
        front_end = _front_end(config, network)

        def load(index: int) -> np.ndarray:
            rate = features.sample_rate
            waveform = _load(inputs[order[index]], drawn_speeds[index], rate, epoch)
            changes = np.random.default_rng((epoch.seed, epoch.number, index))
            return augmentation(waveform, rate, changes)

        waveforms = enumerate(_in_threads(load, range(len(inputs))))
        for rows in _bucketed(waveforms, config, epoch.batch_size):
            indices, signals = zip(*rows, strict=True)
            waveform, lengths = pad(signals)
            waveform = pad_to_multiple(waveform, PADDING_FRAMES * features.hop_samples)
            outputs = front_end(waveform=waveform, lengths=lengths)
            x = {name: np.asarray(output) for name, output in outputs.items()}
            x["features"] = x["features"][:, : x["frames"].max()]
            if spec_augment.num_masks:
                masked = apply_masks(x["features"], x["frames"], draws[[*indices]], spec_augment)
                x["features"] = _to_numpy(masked)
            x["features"] = pad_to_multiple(x["features"], PADDING_FRAMES)
            chosen = [inputs[order[index]] for index in indices]
            ids = np.array([each.id for each in chosen])
            yield x, collate_targets([each.target for each in chosen]), ids

    x_spec = {
        "features": ((None, None, features.size), "float32"),
        "frames": ((None,), "int32"),
    }
    return Batches(generate, (x_spec, target_spec), steps)


@functools.lru_cache(maxsize=1)
def _front_end(config: AcousticModel, network: Any) -> Function:
    """Return the front end as a function, which is compiled once per run."""
    return keras_function(config.front_end(network))


def _load(example: TrainingInput, speed: float, rate: int, epoch: Epoch) -> np.ndarray:
    """Return the waveform of an example at a speed; an empty one if it became unreadable."""
    try:
        waveform = example.read()
    except ZooError as error:  # it was readable when the run began
        print(f"Left out of epoch {epoch.number + 1}: {error}", file=sys.stderr, flush=True)
        return np.zeros(0, np.float32)
    return waveform if speed == 1.0 else soxr.resample(waveform, rate * speed, rate)


def _in_threads(
    function: Callable[[InputT], OutputT], inputs: Iterable[InputT]
) -> Iterator[OutputT]:
    """Yield the results of a function in order, computed a few inputs ahead."""
    with ThreadPoolExecutor(THREADS) as pool:
        running: deque[Future[OutputT]] = deque()
        for each in inputs:
            running.append(pool.submit(function, each))
            if len(running) > 4 * THREADS:
                yield running.popleft().result()
        while running:
            yield running.popleft().result()


def _bucketed(
    waveforms: Iterable[tuple[int, np.ndarray]], config: AcousticModel, batch_size: int
) -> Iterator[list[tuple[int, np.ndarray]]]:
    """Yield batches of waveforms of one bucket each, without empty waveforms."""
    buckets: dict[int, list[tuple[int, np.ndarray]]] = {}
    for index, waveform in waveforms:
        if not len(waveform):
            continue
        number = bucket(config.feature_frames(len(waveform)))
        rows = buckets.setdefault(number, [])
        rows.append((index, waveform))
        if len(rows) == batch_size:
            yield buckets.pop(number)
    for number in sorted(buckets):
        yield buckets[number]


def _to_numpy(tensor: Any) -> np.ndarray:
    from keras import ops

    return ops.convert_to_numpy(tensor)
