"""Precisions of exported weights: which weights are stored in fewer bits.

float32   every weight as trained
float16   large trained weights in half precision. The runtime casts them when it loads the file
int8      the matrices of recurrent layers and dense layers, and embeddings, as 8-bit integers with one
          scale each; other large weights as in float16

Weights that are not trained, such as the kernels of a DFT, are not rounded: an error in them changes
every feature. They are in float16 if that is exact.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import keras
import numpy as np

# Smaller weights are not worth an operation in the graph.
MIN_SIZE = 1024
# Largest magnitude of an int8 weight. -128 is not used, so that zero has no offset.
INT8_MAX = 127

# Returns whether an array of a graph is a weight that is not trained.
IsFixed = Callable[[np.ndarray], bool]


def fixed_weights(models: Iterable[keras.Model]) -> IsFixed:
    """Return a function that finds the weights that are not trained among the arrays of an export.

    A converter may transpose a weight. Therefore the sorted values are compared.

    Args:
        models: the graphs that are exported.
    """
    fixed: dict[int, set[bytes]] = {}
    for model in models:
        for weight in model.non_trainable_weights:
            values = np.asarray(weight)
            if values.size >= MIN_SIZE:
                fixed.setdefault(values.size, set()).add(_sorted(values))

    def is_fixed(array: np.ndarray) -> bool:
        return array.size in fixed and _sorted(array) in fixed[array.size]

    return is_fixed


def fits_float16(array: np.ndarray, is_fixed: IsFixed) -> bool:
    """Return whether a float32 array is stored in float16: a large matrix, which is trained or exact.

    A bias is not: some operations of LiteRT need a constant.
    """
    if array.size < MIN_SIZE or max(array.shape) == array.size:
        return False
    with np.errstate(over="ignore"):
        half = array.astype(np.float16)
    if is_fixed(array):
        return np.array_equal(half.astype(np.float32), array)
    return bool(np.isfinite(half).all())


def to_int8(array: np.ndarray) -> tuple[np.ndarray, float]:
    """Return an array as int8 and its scale, such that array = scale * int8 within half a scale."""
    scale = float(np.abs(array).max()) / INT8_MAX or 1.0
    return np.round(array / scale).astype(np.int8), scale


def _sorted(array: np.ndarray) -> bytes:
    return (np.sort(np.asarray(array, np.float32), axis=None) + 0.0).tobytes()  # -0.0 becomes 0.0
