"""Find the parts of an MPEG audio file (Layer III, "MP3"), and count their frames.

A decoder takes the number of frames from a frame "Xing" or "Info" at the start, and stops there, even if
another file follows. Without that number, it estimates the length from the bit rate of the first frame,
which is wrong for a variable bit rate. ISO/IEC 11172-3 and 13818-3 define the header of a frame.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO

from zoo.common.core.errors import ZooError
from zoo.speech.audio.parts import Part

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
# Offset of the tag "VBRI", which the encoder of Fraunhofer writes.
_VBRI = 36
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Frame:
    """The header of a frame.

    Args:
        layout: the sample rate in Hz, and whether there is one channel.
        size: number of bytes, including the header.
        samples: number of samples per channel.
        information: offset in bytes of the tag "Xing" or "Info".
    """

    layout: tuple[int, bool]
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
    return Frame((hertz, mono), size, samples, 4 + side)


def find_parts(stream: BinaryIO) -> list[Part]:
    """Return the parts of a file, each of which states its number of frames.

    A part begins at a frame with a tag, and where the sample rate or the number of channels changes. A
    part that does not state its number of frames gets a first frame that does.

    Raises:
        ZooError: the last frame is incomplete. The message does not have the name of the file.
    """
    first = _first_frame(stream)
    stream.seek(first)
    if parse_header(stream.read(4)) is None:
        return [Part()]
    begins: list[int] = []
    counts: list[int] = []
    layout = None
    for begin, frame, head in _frames(stream, first):
        if frame.layout != layout or _tag(frame, head):
            layout = frame.layout
            begins.append(begin)
            counts.append(0)
        counts[-1] += 1
    stream.seek(0, io.SEEK_END)
    missing = begin + frame.size - stream.tell()
    parts: list[Part] = []
    for begin, end, count in zip(begins, [*begins[1:], None], counts, strict=True):
        stream.seek(begin)
        head = stream.read(64)
        frame = _parsed(head)
        stated = _stated_count(frame, head)
        if stated is not None and stated >= count - 1:
            parts.append(Part(begin, end))
            continue
        if end is None and missing > 0:
            raise ZooError(f"truncated: {missing:,} bytes of its last frame are missing")
        tagged = bool(_tag(frame, head))
        parts.append(Part(begin + tagged * frame.size, end, _info(head, count - tagged)))
    return [Part()] if len(parts) == 1 and not parts[0].header else parts


def _parsed(head: bytes) -> Frame:
    """Return the frame that begins with `head`, which must be one."""
    frame = parse_header(head[:4])
    assert frame is not None
    return frame


def _tag(frame: Frame, head: bytes) -> bytes:
    """Return the name of the tag in a frame; empty if it has none."""
    tag = head[frame.information :][:4]
    if tag in (b"Xing", b"Info"):
        return tag
    return b"VBRI" if head[_VBRI:].startswith(b"VBRI") else b""


def _stated_count(frame: Frame, head: bytes) -> int | None:
    """Return the number of frames after a frame "Xing" or "Info"; None if it does not state it."""
    if _tag(frame, head) not in (b"Xing", b"Info"):
        return None
    flags, count = (int.from_bytes(head[frame.information + at :][:4], "big") for at in (4, 8))
    return count if flags & _HAS_FRAME_COUNT else None


def _info(head: bytes, count: int) -> bytes:
    """Return a frame "Info" that states a number of frames, of the kind of the frame `head`."""
    # Without a checksum, with a bit rate that leaves enough bytes, and without padding.
    header = bytes([0xFF, head[1] | 1, _ROOMY << 4 | head[2] & 0b1100, head[3]])
    info = _parsed(header)
    tag = b"Info" + _HAS_FRAME_COUNT.to_bytes(4, "big") + count.to_bytes(4, "big")
    return (header + bytes(info.information - 4) + tag).ljust(info.size, b"\0")


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


def _frames(stream: BinaryIO, begin: int) -> Iterator[tuple[int, Frame, bytes]]:
    """Yield the offset, the header and the first bytes of each frame from `begin`."""
    stream.seek(0, io.SEEK_END)
    size, start, content = stream.tell(), begin, b""
    while begin < size:
        at = begin - start
        if at + 8192 > len(content) and start + len(content) < size:  # two frames have fewer bytes
            stream.seek(begin)
            start, content, at = begin, stream.read(_BLOCK), 0
        frame = parse_header(content[at : at + 4])
        if frame:
            yield begin, frame, content[at : at + 64]
            begin += frame.size
            continue
        found = _next(content, at)
        begin = start + (len(content) if found is None else found)
