"""Record from the default microphone, with sounddevice."""

from __future__ import annotations

import queue
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.utils.progress import say

MICROPHONE = "microphone"


def read_microphone(sample_rate: int, block: int) -> Iterator[np.ndarray]:
    """Yield float32 [block] from the default microphone until an interruption (Ctrl-C).

    Args:
        sample_rate: sample rate in Hz.
        block: number of samples of a block.

    Raises:
        ZooError: sounddevice is not installed, or there is no usable microphone.
    """
    device = _sounddevice()
    blocks: queue.SimpleQueue[np.ndarray | None] = queue.SimpleQueue()

    def receive(samples: np.ndarray, frames: int, time: Any, status: Any) -> None:
        blocks.put(samples[:, 0].copy())

    try:
        stream = device.InputStream(
            samplerate=sample_rate, blocksize=block, channels=1, dtype="float32", callback=receive
        )
    except device.PortAudioError as error:
        raise ZooError(f"The microphone cannot be opened: {error}") from None
    with stream, interruption(lambda: blocks.put(None)):
        say("Recording. Press Ctrl-C to end.")
        while (samples := blocks.get()) is not None:
            yield samples


@contextmanager
def interruption(end: Callable[[], None]) -> Iterator[None]:
    """Call a function at an interruption (Ctrl-C), instead of ending the program."""
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread receives signals
        return
    before = signal.signal(signal.SIGINT, lambda *_: end())
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ImportError:
        raise ZooError(
            "A microphone needs sounddevice: pip install 'recurrent-zoo[microphone]'"
        ) from None
    except OSError as error:
        raise ZooError(f"A microphone needs the PortAudio library: {error}") from None
    return sounddevice
