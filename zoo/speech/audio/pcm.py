"""Raw samples, as a recorder writes them to a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import BinaryIO

import numpy as np

from zoo.common.core.errors import ZooError

# What audio files begin with, and raw samples all but never.
AUDIO_FILES = (b"RIFF", b"fLaC", b"OggS", b"FORM", b"NIST")


def read_pcm(file: BinaryIO) -> Iterator[np.ndarray]:
    """Yield float32 [samples] of signed 16-bit little-endian PCM as it comes.

    Raises:
        ZooError: there is none; it begins as an audio file does, or ends within a sample.
    """
    rest, begins = b"", True
    while data := file.read1(1 << 16):
        if begins and data[:4] in AUDIO_FILES:
            raise ZooError(
                "Standard input must be raw 16-bit PCM at the model's rate. Received: an audio file; "
                "name the file instead, or convert it."
            )
        data, begins = rest + data, False
        whole = len(data) // 2 * 2
        rest = data[whole:]
        yield np.frombuffer(data[:whole], "<i2").astype(np.float32) / 32768
    if begins:
        raise ZooError("Standard input is empty: 16-bit PCM is wanted there.")
    if rest:
        raise ZooError("Standard input ends within a sample of 16-bit PCM: it has an odd byte.")
