"""Read raw samples, as a recorder writes them to a pipe."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.utils.progress import say

# The first bytes of audio files, which are improbable at the begin of raw samples.
AUDIO_FILES = (b"RIFF", b"fLaC", b"OggS", b"FORM", b"NIST")


def read_pcm(file: Any) -> Iterator[np.ndarray]:
    """Yield float32 [samples] of signed 16-bit little-endian PCM as soon as they can be read.

    The last byte of an input that ends within a sample is left out, with a warning.

    Args:
        file: a binary file with the method `read1`.

    Raises:
        ZooError: the input is empty or an audio file.
    """
    rest, is_first = b"", True
    while data := file.read1(1 << 16):
        if is_first and data[:4] in AUDIO_FILES:
            raise ZooError(
                "Standard input must be raw 16-bit PCM at the model's rate. Received: an audio file. "
                "Use its path as the input, or convert it."
            )
        data, is_first = rest + data, False
        whole = len(data) // 2 * 2
        rest = data[whole:]
        yield np.frombuffer(data[:whole], "<i2").astype(np.float32) / 32768
    if is_first:
        raise ZooError("Standard input is empty. It must be 16-bit PCM.")
    if rest:
        say(
            "Warning: standard input ends within a sample of 16-bit PCM. Its last byte is left out."
        )
