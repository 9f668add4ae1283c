"""Recordings of any length as inputs: search of folders, and reading with a progress bar."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.data.manifests import find_below
from zoo.common.utils.progress import meter, say
from zoo.speech.audio.reading import Source, read_blocks, source_name

# Files that are found in a folder. A file that is an input itself may have any suffix.
SUFFIXES = (".wav", ".flac", ".ogg", ".opus", ".mp3", ".aif", ".aiff", ".aifc", ".sph")


def find_recordings(source: str, suffixes: tuple[str, ...] = SUFFIXES) -> list[str]:
    """Return the recordings in a folder and its subfolders, sorted; or the path of a file itself.

    Raises:
        ZooError: the folder has no recording.
    """
    return find_below(source, suffixes, "recordings")


class Recording:
    """A recording that is read block by block, with a progress bar.

    Args:
        source: the recording; see `read_blocks`.
        seconds: its duration according to its header. It becomes the duration that was read.
        rate: sample rate of the blocks in Hz.
        allow_silence: as in `read_blocks`.
        to_cut: whether a file that ends early is read up to there, with a warning.
    """

    def __init__(
        self,
        source: Source,
        seconds: float,
        rate: int,
        *,
        allow_silence: bool,
        to_cut: bool = False,
    ):
        self.source, self.seconds, self.rate = source, seconds, rate
        self._allow_silence, self._on_cut = allow_silence, self._warn if to_cut else None
        self._warning = ""

    def _warn(self, reason: str) -> None:
        self._warning = f"It was analysed up to its end: {reason}"
        say(f"Warning: {source_name(self.source)}: {reason}. It is analysed up to there.")

    def blocks(self) -> Iterator[np.ndarray]:
        """Yield blocks of samples, float32 [samples]. Raises `ZooError` as `read_blocks`."""
        samples = 0
        with meter(Path(source_name(self.source)).name, self.seconds, "s") as bar:
            for block in read_blocks(
                self.source, self.rate, allow_silence=self._allow_silence, on_cut=self._on_cut
            ):
                samples += len(block)
                bar.update(round(samples / self.rate) - bar.n)
                yield block
        self.seconds = samples / self.rate

    def metadata(self) -> dict[str, Any]:
        """Return the properties of the recording that its answer includes."""
        warning = {"warning": self._warning} if self._warning else {}
        return {"seconds": round(self.seconds, 3)} | warning
