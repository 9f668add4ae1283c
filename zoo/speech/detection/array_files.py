"""Spectrograms in files of NumPy."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.utils.files import check_file

SUFFIX = ".npy"
# Maximum size of a file: more than the spectrogram of one hour has.
MAX_BYTES = 2**28


def read_array(source: str | Path) -> np.ndarray:
    """Return the numeric array of a .npy file.

    Raises:
        ZooError: the file is missing, or has no such array.
    """
    check_file(Path(source), MAX_BYTES)
    try:
        # Memory-mapped, so that no memory is allocated for a header that states too large a size.
        values = np.load(source, mmap_mode="r", allow_pickle=False)
    except Exception as error:  # NumPy raises many kinds of errors for an invalid header
        reason = " ".join(str(error).split())[:120]
        raise ZooError(f"{source}: not a numeric array: {reason}") from None
    if not isinstance(values, np.ndarray) or values.dtype.kind not in "uif" or not values.size:
        raise ZooError(f"{source}: not a numeric array")
    return np.array(values)
