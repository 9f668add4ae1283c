"""Logits that state a labelling, for models that are no CTC models but answer with a text."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from zoo.common.data.batching import pad
from zoo.common.data.labels import BLANK_INDEX

# The logit of the label of a frame; the others are 0. Its probability is above 1 - 1e-6 for up to a
# million labels.
CERTAIN = 30.0


def one_hot_outputs(rows: Sequence[Sequence[int]], size: int) -> dict[str, np.ndarray]:
    """Return the outputs of a CTC model whose most probable labellings are the given ones.

    Args:
        rows: the labels of each row, without blanks.
        size: number of labels, including the blank.

    Returns:
        `logits` float32 [batch, time, size] and `logit_lengths` int32 [batch].
    """
    paths = []
    for labels in rows:
        path = np.full(2 * len(labels) + 1, BLANK_INDEX)  # a blank separates equal labels
        path[1::2] = labels
        paths.append(CERTAIN * np.eye(size, dtype=np.float32)[path])
    logits, lengths = pad(paths)
    return {"logits": logits, "logit_lengths": lengths}
