"""Batches of padded rows: bucketed by length in training, sorted by length in evaluation."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from zoo.common.core.data import Data, Item
from zoo.common.core.errors import ZooError
from zoo.common.utils.progress import progress

EVALUATION_BATCH = 16
# Number of batches that are sorted by length together: a compromise between little padding, and batches
# that differ from epoch to epoch.
WINDOW = 16


def pad(rows: Sequence[np.ndarray], fill: float = 0) -> tuple[np.ndarray, np.ndarray]:
    """Return rows [length, ...] as one array [batch, longest, ...] and their lengths, int32 [batch]."""
    lengths = np.array([len(row) for row in rows], np.int32)
    first = np.asarray(rows[0])
    batch = np.full((len(rows), lengths.max(initial=0), *first.shape[1:]), fill, first.dtype)
    for target, row in zip(batch, rows, strict=True):
        target[: len(row)] = row
    return batch, lengths


def pad_to_multiple(batch: np.ndarray, of: int) -> np.ndarray:
    """Return a batch [batch, time, ...] padded with zeros to a multiple of `of` time steps."""
    margins = [(0, 0)] * batch.ndim
    margins[1] = (0, -batch.shape[1] % of)
    return np.pad(batch, margins)


def shuffled_windows(
    lengths: Sequence[Any], batch_size: int, generator: np.random.Generator
) -> Iterator[list[int]]:
    """Yield the indices of each batch of an epoch, such that its examples have similar lengths.

    Args:
        lengths: length of each example, or a tuple of lengths.
        batch_size: number of examples in a batch.
        generator: draws the order. Equal generators give equal batches.
    """
    order = generator.permutation(len(lengths))
    groups: list[list[int]] = []
    for start in range(0, len(order), WINDOW * batch_size):
        window = sorted(order[start : start + WINDOW * batch_size], key=lambda i: lengths[i])
        groups += [window[i : i + batch_size] for i in range(0, len(window), batch_size)]
    for group in generator.permutation(len(groups)):
        yield groups[group]


def evaluation_batches(
    data: Data,
    model: Any,
    examples: Sequence[Any],
    errors: dict[int, str],
    batch_size: int = EVALUATION_BATCH,
    read: Callable[[Any], Item] | None = None,
) -> Iterator[tuple[list[int], dict[str, np.ndarray]]]:
    """Yield (indices, model inputs) of batches of examples, with a progress bar.

    Args:
        data: reads examples, sorts them by length and collates them.
        model: config of the model.
        examples: the examples of a split.
        errors: receives the error of each unreadable example by its index. The others continue.
        batch_size: number of examples in a batch.
        read: replaces `data.read_example`.
    """
    order = sorted(range(len(examples)), key=lambda i: data.sort_key(examples[i]))
    batches = [order[i : i + batch_size] for i in range(0, len(order), batch_size)]
    for batch in progress(batches, "Evaluating", len(batches), "batch"):
        items = {}
        for i in batch:
            try:
                items[i] = read(examples[i]) if read else data.read_example(examples[i], model)
            except ZooError as error:
                errors[i] = str(error)
        if items:
            yield list(items), data.collate(list(items.values()))


def keep_readable(
    examples: Sequence[Any], read: Callable[[Any], Item], reason: str
) -> tuple[list[Any], dict[str, int]]:
    """Return the readable examples, and the number of others, as `Data.filter_examples` does.

    Args:
        examples: the examples of a split.
        read: maps an example to an item, and raises `ZooError`.
        reason: why an example is left out, such as "unreadable".

    Raises:
        ZooError: no example is readable.
    """
    kept = []
    for example in examples:
        try:
            read(example)
        except ZooError:
            continue
        kept.append(example)
    if not kept:
        raise ZooError(f"No example is usable: all {len(examples)} are {reason}.")
    left_out = len(examples) - len(kept)
    return kept, {reason: left_out} if left_out else {}
