"""Pages of an OGG file (RFC 3533), which tell of their own damage: a checksum and a number on each.

A decoder leaves out what is damaged, a second of sound for one bit, without a word.
"""

from __future__ import annotations

import io
import zlib
from typing import BinaryIO

from zoo.common.core.errors import ZooError

_MAGIC = b"OggS\0"
_HEADER_BYTES = 27
_LAST = 4  # among the flags of a page: it is the last of its stream
# A byte with its bits in the opposite order: zlib's CRC-32 counts them from the other end.
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ALL_ONES = 0xFFFFFFFF


def check_pages(stream: BinaryIO) -> None:
    """Check that a file consists of whole pages, each as it was written, none of them missing.

    Raises:
        ZooError: it does not, without the file's name.
    """
    size, begin = stream.seek(0, io.SEEK_END), stream.seek(0)
    numbers: dict[bytes, int] = {}  # of each stream that has not ended, that of its next page
    while begin < size:
        header = stream.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            raise ZooError(f"truncated: its last page, at byte {begin:,}, is not whole")
        if not header.startswith(_MAGIC):
            raise ZooError(f"damaged: at byte {begin:,} a page must begin")
        segments = stream.read(header[26])
        body = stream.read(sum(segments))
        end = begin + _HEADER_BYTES + header[26] + sum(segments)
        if end > size:
            raise ZooError(
                f"truncated: its last page needs {end - begin:,} bytes, {size - begin:,} are there"
            )
        if _checksum(header, segments, body) != int.from_bytes(header[22:26], "little"):
            raise ZooError(f"damaged: the page at byte {begin:,} does not have its checksum")
        serial, number = header[14:18], int.from_bytes(header[18:22], "little")
        if number != numbers.get(serial, number):
            raise ZooError(f"damaged: before the page at byte {begin:,} there are pages missing")
        if header[5] & _LAST:
            numbers.pop(serial, None)
        else:
            numbers[serial] = number + 1
        begin = end
    if numbers:
        raise ZooError("truncated: its last page does not say that it is the last one")


def _checksum(header: bytes, segments: bytes, body: bytes) -> int:
    """CRC-32 of a page as RFC 3533 has it: bits from the highest, begun with 0, not inverted."""
    page = header[:22] + bytes(4) + header[26:] + segments + body
    crc = zlib.crc32(page.translate(_REVERSED), _ALL_ONES) ^ _ALL_ONES
    return int(f"{crc:032b}"[::-1], 2)
