"""Count the frames of an MPEG audio file (Layer III, "MP3") that does not state its length.

Without a frame "Xing" or "Info" at the start, a decoder estimates the length of a file from the bit rate
of its first frame, and stops there. With a variable bit rate, this is too early. ISO/IEC 11172-3 and
13818-3 define the header of a frame.
"""

from __future__ import annotations

import io
import shutil
from dataclasses import dataclass
from typing import BinaryIO

from zoo.common.core.errors import ZooError

# Bit rates in kbit/s by their index in a header, for MPEG-1 and for MPEG-2 and 2.5. The indices 0 and 15
# are not constant rates.
_BIT_RATES = {
    1: (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    2: (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
# Sample rates in Hz by their index, for MPEG-1. MPEG-2 has half, MPEG-2.5 a quarter of them.
_RATES = (44_100, 48_000, 32_000)
_LAYER_3, _MONO = 1, 3
# Index of the bit rate of the frame with the length: every kind of frame has enough bytes for it.
_ROOMY = 8
_HAS_FRAME_COUNT = 1
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Frame:
    """The header of a frame.

    Args:
        version: 1 for MPEG-1, 2 for MPEG-2 and 2.5.
        size: number of bytes, including the header.
        samples: number of samples per channel.
        information: offset in bytes of the tag "Xing" or "Info".
    """

    version: int
    size: int
    samples: int
    information: int


def parse_header(header: bytes) -> Frame | None:
    """Return the frame of a header of 4 bytes; None if it is not a header of Layer III."""
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
    """Copy a file with a frame at its start that states its length, unless it has one.

    Args:
        stream: the file.
        new: an empty file that receives the copy.

    Returns:
        Whether there is a copy: False if the file states its length, or is not of Layer III.

    Raises:
        ZooError: the last frame is incomplete. The message does not have the name of the file.
    """
    first = _first_frame(stream)
    stream.seek(first)
    head = stream.read(64)
    frame = parse_header(head)
    if frame is None or head[frame.information :][:4] in (b"Xing", b"Info") or b"VBRI" in head:
        return False
    count = _count(stream, first)
    # Without a checksum, with a bit rate that leaves enough bytes, and without padding.
    header = bytes([0xFF, head[1] | 1, _ROOMY << 4 | head[2] & 0b1100, head[3]])
    info = parse_header(header)
    assert info is not None
    tag = b"Info" + _HAS_FRAME_COUNT.to_bytes(4, "big") + count.to_bytes(4, "big")
    new.write((header + bytes(info.information - 4) + tag).ljust(info.size, b"\0"))
    stream.seek(first)
    shutil.copyfileobj(stream, new, _BLOCK)
    return True


def _first_frame(stream: BinaryIO) -> int:
    """Return the offset of the first frame: after the tag ID3v2, or at the first header."""
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
    """Return the offset of a frame that another frame, or the end of `content`, follows; or None."""
    while (begin := content.find(b"\xff", begin)) >= 0:
        frame = parse_header(content[begin : begin + 4])
        if frame:
            after = content[begin + frame.size : begin + frame.size + 4]
            if parse_header(after) or len(after) < 4:
                return begin
        begin += 1
    return None


def _count(stream: BinaryIO, begin: int) -> int:
    """Return the number of frames from `begin`. Raises `ZooError` if the last one is incomplete."""
    stream.seek(0, io.SEEK_END)
    size, count, start, content = stream.tell(), 0, begin, b""
    while begin < size:
        at = begin - start
        if at + 8192 > len(content) and start + len(content) < size:  # two frames have fewer bytes
            stream.seek(begin)
            start, content, at = begin, stream.read(_BLOCK), 0
        frame = parse_header(content[at : at + 4])
        if frame:
            count, begin = count + 1, begin + frame.size
            continue
        found = _next(content, at)
        begin = start + (len(content) if found is None else found)
    if begin > size:
        raise ZooError(f"truncated: {begin - size:,} bytes of its last frame are missing")
    return count
