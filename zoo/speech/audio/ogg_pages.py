"""Check the pages of an OGG file (RFC 3533) by their checksums and numbers.

A decoder skips damaged pages without an error. One wrong bit may remove a second of sound.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from typing import BinaryIO

from zoo.common.core.errors import ZooError

_MAGIC = b"OggS\0"
_HEADER_BYTES = 27
_FIRST, _LAST = 2, 4  # flags of the first and the last page of a stream
# A byte with its bits in the opposite order, since zlib's CRC-32 starts at the other end.
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
_ALL_ONES = 0xFFFFFFFF


def check_pages(
    stream: BinaryIO, on_cut: Callable[[str], None] | None = None
) -> tuple[list[int], int | None]:
    """Check that a file consists of complete, undamaged pages, without a missing one.

    Args:
        stream: the file.
        on_cut: receives the reason why the file ends early, which is an error without it.

    Returns:
        The offset of each link: a file may be a chain of several OGG files. And the end of the last
        complete page of a file that ends early, else None.

    Raises:
        ZooError: it does not. The message does not have the name of the file.
    """
    size, begin = stream.seek(0, io.SEEK_END), stream.seek(0)
    numbers: dict[bytes, int] = {}  # number of the next page of each stream that has not ended
    links: list[int] = []
    reason = ""
    while begin < size:
        header = stream.read(_HEADER_BYTES)
        if len(header) < _HEADER_BYTES:
            reason = f"truncated: its last page, at byte {begin:,}, is incomplete"
            break
        if not header.startswith(_MAGIC):
            raise ZooError(f"damaged: there is no page at byte {begin:,}")
        segments = stream.read(header[26])
        body = stream.read(sum(segments))
        end = begin + _HEADER_BYTES + header[26] + sum(segments)
        if end > size:
            received = size - begin
            reason = f"truncated: its last page has {end - begin:,} bytes. Received: {received:,}"
            break
        if _checksum(header, segments, body) != int.from_bytes(header[22:26], "little"):
            raise ZooError(f"damaged: the page at byte {begin:,} has a wrong checksum")
        if not numbers and header[5] & _FIRST:
            links.append(begin)
        serial, number = header[14:18], int.from_bytes(header[18:22], "little")
        if number != numbers.get(serial, number):
            raise ZooError(f"damaged: pages before byte {begin:,} are missing")
        if header[5] & _LAST:
            numbers.pop(serial, None)
        else:
            numbers[serial] = number + 1
        begin = end
    if numbers and not reason:
        reason = "truncated: its last page is missing"
    if not reason:
        return links, None
    if on_cut is None or not links:
        raise ZooError(reason)
    on_cut(reason)
    return links, begin


def _checksum(header: bytes, segments: bytes, body: bytes) -> int:
    """Return the CRC-32 of a page by RFC 3533: highest bit first, initial value 0, not inverted."""
    page = header[:22] + bytes(4) + header[26:] + segments + body
    crc = zlib.crc32(page.translate(_REVERSED), _ALL_ONES) ^ _ALL_ONES
    return int(f"{crc:032b}"[::-1], 2)
