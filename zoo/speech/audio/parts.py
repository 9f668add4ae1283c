"""Parts of a sound file that are decoded one after the other, such as the links of a chained OGG."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

_BLOCK = 1 << 20


@dataclass(frozen=True)
class Part:
    """A range of a file that is decoded like a file of its own.

    Args:
        begin: offset of its first byte.
        end: offset after its last byte; None for the end of the file.
        header: bytes that replace the header of the range.
    """

    begin: int = 0
    end: int | None = None
    header: bytes = b""

    @contextlib.contextmanager
    def opened(self, stream: BinaryIO) -> Iterator[BinaryIO]:
        """Yield the part as a file at its begin: `stream` itself, or a copy of the range."""
        if self == Part():
            stream.seek(0)
            yield stream
            return
        with tempfile.TemporaryFile(buffering=0) as copy:
            copy.write(self.header)
            stream.seek(self.begin)
            if self.end is None:
                shutil.copyfileobj(stream, copy, _BLOCK)
            else:
                _copy(stream, copy, self.end - self.begin)
            copy.seek(0)
            yield copy


def _copy(stream: BinaryIO, copy: BinaryIO, size: int) -> None:
    while size and (block := stream.read(min(size, _BLOCK))):
        copy.write(block)
        size -= len(block)
