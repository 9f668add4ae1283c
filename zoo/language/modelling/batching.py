"""Batches for truncated back-propagation through time: each row continues in the next batch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from zoo.common.core.data import Batch, Batches
from zoo.common.core.errors import ZooError


def running_batches(
    indices: np.ndarray, batch_size: int, time_steps: int, generator: np.random.Generator
) -> Batches:
    """Return the batches of one pass over a text, which is divided into `batch_size` parallel rows.

    Args:
        indices: int32 [tokens], the text.
        batch_size: number of rows.
        time_steps: number of tokens of a row in a batch.
        generator: draws the start of the first row, within the first `time_steps` tokens, so that the
            text is divided at other positions in each pass.

    Returns:
        Batches of `tokens` and `targets`, the tokens that follow, int32 [batch_size, time_steps], and
        `reset_states` bool [batch_size], true in the first batch only. The id of a row is the position
        of its first token in the text.

    Raises:
        ZooError: the text is too short for one batch.
    """
    begin = int(generator.integers(time_steps))
    steps = (len(indices) - 1 - begin) // (batch_size * time_steps)
    if steps < 1:
        raise ZooError(
            f"A text of {len(indices)} tokens is too short for batches of {batch_size} rows of "
            f"{time_steps} tokens. Reduce training.batch_size or data.time_steps."
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
        len(indices) // (batch_size * time_steps),  # does not depend on the random offset
    )
