"""Frames of an MPEG audio file (Layer III, "MP3"), counted where the file does not tell how many it has.

Without a frame "Xing" or "Info" at the start, a decoder takes the length of a file from the bit rate of
its first frame, and ends there: of a variable bit rate, too early. ISO/IEC 11172-3 and 13818-3 define
the header of a frame.
"""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from typing import BinaryIO

from zoo.common.core.errors import ZooError

# kbit/s by the index in a header, of MPEG-1 and of its two versions of lower rates. 0 and 15 are not
# constant rates.
_BIT_RATES = {
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
# Hz by the index, of MPEG-1; halved for MPEG-2 and once more for MPEG-2.5.
_RATES = (44_100, 48_000, 32_000)
_LAYER_3, _MONO = 1, 3
# Of the frame that tells the length: a bit rate at which every kind of frame has room for it.
_ROOMY = 8
_HAS_FRAME_COUNT = 1
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Frame:
    """The header of a frame.

    version: int. 1 for MPEG-1, 2 for MPEG-2 and 2.5. size: int. Bytes with the header.
    samples: int. Of each channel. information: int. Bytes from the start to where "Xing" would stand.
    """

    version: int
    size: int
    samples: int
    information: int


def parse_header(header: bytes) -> Frame | None:
    """Return what the 4 bytes of a header say; None where they are none of Layer III."""
    if len(header) < 4 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return None
    kind, layer = header[1] >> 3 & 3, header[1] >> 1 & 3
    bit_rate, rate, padding = header[2] >> 4, header[2] >> 2 & 3, header[2] >> 1 & 1
    if kind == 1 or layer != _LAYER_3 or bit_rate in (0, 15) or rate == 3:
        return None
    version = 1 if kind == 3 else 2
    hertz = _RATES[rate] >> {3: 0, 2: 1, 0: 2}[kind]
    samples = 1152 if version == 1 else 576
    size = samples // 8 * 1000 * _BIT_RATES[version][bit_rate - 1] // hertz + padding
    mono = header[3] >> 6 == _MONO
    side = {(1, False): 32, (1, True): 17, (2, False): 17, (2, True): 9}[version, mono]
    return Frame(version, size, samples, 4 + side)


def with_length(stream: BinaryIO, new: BinaryIO) -> bool:
    """Copy a file behind a frame that tells its length, if it has none.

    Args:
        stream: the file. new: an empty one, to be filled.

    Returns:
        Whether it was copied: False where it tells its length already, or is not of Layer III.

    Raises:
        ZooError: its last frame is not whole, without the file's name.
    """
    first = _first_frame(stream)
    stream.seek(first)
    head = stream.read(64)
    frame = parse_header(head)
    if frame is None or head[frame.information :][:4] in (b"Xing", b"Info") or b"VBRI" in head:
        return False
    count = _count(stream, first)
    # With no checksum of its own, at a bit rate that leaves room, and without padding.
    header = bytes([0xFF, head[1] | 1, _ROOMY << 4 | head[2] & 0b1100, head[3]])
    told = parse_header(header)
    tag = b"Info" + _HAS_FRAME_COUNT.to_bytes(4, "big") + count.to_bytes(4, "big")
    new.write((header + bytes(told.information - 4) + tag).ljust(told.size, b"\0"))
    stream.seek(first)
    shutil.copyfileobj(stream, new, _BLOCK)
    return True


def _first_frame(stream: BinaryIO) -> int:
    """Where the frames begin: behind the tag ID3v2, or at the first header within a block."""
    stream.seek(0)
    head, begin = stream.read(10), 0
    if head[:3] == b"ID3" and len(head) == 10:
        size = sum(
            (byte & 0x7F) << shift for byte, shift in zip(head[6:], (21, 14, 7, 0), strict=True)
        )
        begin = 10 + size
    stream.seek(begin)
    return begin + (_next(stream.read(1 << 16), 0) or 0)


def _next(content: bytes, begin: int) -> int | None:
    """Where a frame begins that another follows, or the end of `content`; None where none does."""
    while (begin := content.find(b"\xff", begin)) >= 0:
        frame = parse_header(content[begin : begin + 4])
        if frame:
            after = content[begin + frame.size : begin + frame.size + 4]
            if parse_header(after) or len(after) < 4:
                return begin
        begin += 1
    return None


def _count(stream: BinaryIO, begin: int) -> int:
    """How many frames there are from `begin` on. Raises `ZooError` where the last one is not whole."""
    stream.seek(0, io.SEEK_END)
    size, count, start, content = stream.tell(), 0, begin, b""
    while begin < size:
        at = begin - start
        if at + 8192 > len(content) and start + len(content) < size:  # two frames are less
            stream.seek(begin)
            start, content, at = begin, stream.read(_BLOCK), 0
        frame = parse_header(content[at : at + 4])
        if frame:
            count, begin = count + 1, begin + frame.size
            continue
        found = _next(content, at)
        begin = start + (len(content) if found is None else found)
    if begin > size:
        raise ZooError(
            f"truncated: its last frame needs {begin - size:,} bytes more than are there"
        )
    return count
