"""Batches for truncated back-propagation through time: rows of a text that go on from batch to batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zoo.common.core.data import Batch, Batches
from zoo.common.core.errors import ZooError


def running_batches(
    indices: np.ndarray, batch_size: int, time_steps: int, generator: np.random.Generator
) -> Batches:
    """Return one pass over a text, divided into `batch_size` rows that are read side by side.

    Args:
        indices: int32 [tokens]. The text.
        generator: draws where the first row begins, within the first `time_steps` tokens, so that the
            rows are divided elsewhere in each pass.

    Returns:
        Batches of `tokens` and `targets`, the tokens that follow, int32 [batch_size, time_steps], and
        `reset_states` bool [batch_size], true in the first batch alone. The ids are the indices in the
        text of what each row begins with.

    Raises:
        ZooError: the text is too short for one batch.
    """
    begin = int(generator.integers(time_steps))
    steps = (len(indices) - 1 - begin) // (batch_size * time_steps)
    if steps < 1:
        raise ZooError(
            f"A text of {len(indices)} tokens is too short for batches of {batch_size} rows of "
            f"{time_steps} tokens: --set training.batch_size or data.time_steps to less."
        )
    used = batch_size * steps * time_steps
    shape = (batch_size, steps, time_steps)
    tokens = indices[begin : begin + used].reshape(shape)
    targets = indices[begin + 1 : begin + 1 + used].reshape(shape)
    starts = begin + np.arange(0, used, steps * time_steps)

    def generate() -> Iterator[Batch]:
        for step in range(steps):
            x = {"tokens": tokens[:, step], "reset_states": np.full(batch_size, step == 0)}
            ids = np.char.add("token ", (starts + step * time_steps).astype(str))
            yield x, {"targets": targets[:, step]}, ids

    spec = ((batch_size, time_steps), "int32")
    return Batches(
        generate,
        ({"tokens": spec, "reset_states": ((batch_size,), "bool")}, {"targets": spec}),
    )
