"""The rows of a batch: two halves for two cores, and padding to a few batch sizes (TensorFlow)."""

import os
from collections.abc import Callable
from typing import Any

import keras
import tensorflow as tf

from zoo.common.utils.private import in_xla

MIN_ROWS_PER_HALF = 8  # minimum number of rows in half a batch
# A batch of unknown size is padded to one of these sizes, four per doubling: XLA compiles for each size.
BATCH_SIZES = (*range(1, 8), *(k << n for n in range(1, 6) for k in range(4, 8)))


def run_rows(
    function: Callable[..., Any], rows: dict[str, Any], *, paired: bool, padded: bool
) -> Any:
    """Apply a function to the rows of a batch, in two halves if the machine has two cores.

    Args:
        function: maps keyword arguments, tensors with the batch first, to such tensors.
        rows: the arguments. None remains None. `rows["x"]` is a tensor.
        paired: whether another layer runs at the same time, so that the batch stays in one part.
        padded: whether to pad a batch of unknown size to one of `BATCH_SIZES`.
    """
    x = rows["x"]
    padded = padded and x.shape[0] is None and not in_xla()
    if padded:
        rows = _pad_batch(rows)
    if not paired and _threads() > 1 and not in_xla():
        halves = [function(**half) for half in _halves(rows)]
        results = keras.tree.map_structure(lambda *parts: tf.concat(parts, axis=0), *halves)
    else:
        results = function(**rows)
    if padded:
        batch = tf.shape(x)[0]
        results = keras.tree.map_structure(lambda result: result[:batch], results)
    # After a concatenation or a loop that was traced for any batch, the number of rows is unknown.
    for result in keras.tree.flatten(results):
        result.set_shape((x.shape[0], *result.shape[1:]))
    return results


def _threads():
    """Return the number of operations that TensorFlow runs in parallel."""
    return tf.config.threading.get_inter_op_parallelism_threads() or os.cpu_count()


def _pad_batch(rows):
    """Pad the batch with zeros to the next of `BATCH_SIZES`. A larger batch is not padded."""
    batch = tf.shape(rows["x"])[0]
    index = tf.minimum(tf.searchsorted(BATCH_SIZES, [batch])[0], len(BATCH_SIZES) - 1)
    missing = tf.maximum(tf.gather(BATCH_SIZES, index) - batch, 0)
    return map_rows(lambda x: tf.pad(x, [(0, missing), *[(0, 0)] * (len(x.shape) - 1)]), rows)


def _halves(rows):
    """Split every tensor of `rows` into the first and the second half of the batch.

    Each half has its own loop, so that two cores run them in parallel without synchronizing at every
    step. A small batch is not split: the list has one element, or the second half is empty.
    """
    batch = rows["x"].shape[0]
    if batch is None:
        batch = tf.shape(rows["x"])[0]
        first = tf.minimum(batch, tf.maximum((batch + 1) // 2, MIN_ROWS_PER_HALF))
    elif batch <= MIN_ROWS_PER_HALF:
        return [rows]
    else:
        first = max((batch + 1) // 2, MIN_ROWS_PER_HALF)
    return [map_rows(lambda x: x[:first], rows), map_rows(lambda x: x[first:], rows)]


def map_rows(function: Callable[[Any], Any], rows: Any) -> Any:
    """Apply a function to every tensor of a structure that is not None."""
    return keras.tree.map_structure(lambda x: None if x is None else function(x), rows)
