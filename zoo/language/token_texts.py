"""Rows of tokens as texts, for the vectorizers of scikit-learn."""

from __future__ import annotations

import numpy as np


def token_texts(tokens: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Return the indices of the tokens of each row, separated by spaces: object [batch].

    Args:
        tokens: int32 [batch, time].
        lengths: int32 [batch], the number of tokens of each row.
    """
    texts = np.empty(len(tokens), object)
    for i, (row, length) in enumerate(zip(tokens, lengths, strict=True)):
        texts[i] = " ".join(map(str, row[:length].tolist()))
    return texts
