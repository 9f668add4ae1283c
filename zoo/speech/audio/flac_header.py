"""Read the header of a FLAC file (RFC 9639), and compare its sample rate with that of its first frame.

The header has no checksum, and decoders use it without a check. The header of a frame has one. The MD5
digest of the samples covers all other fields that change the audio.
"""

from __future__ import annotations

from typing import BinaryIO

from zoo.common.core.errors import ZooError

_STREAM_INFO_BYTES = 34
_LAST_BLOCK = 0x80
# Sample rates in Hz by their code in the header of a frame.
_RATES = {
    1: 88_200,
    2: 176_400,
    3: 192_000,
    4: 8000,
    5: 16_000,
    6: 22_050,
    7: 24_000,
    8: 32_000,
    9: 44_100,
    10: 48_000,
    11: 96_000,
}
# Unit in Hz and number of bytes of a rate at the end of the header of a frame, by code.
_WRITTEN_RATES = {12: (1000, 1), 13: (1, 2), 14: (10, 2)}
# Number of bytes of the block size before that rate, by code.
_SIZE_BYTES = {6: 1, 7: 2}


def read_digest(stream: BinaryIO) -> bytes:
    """Return the MD5 digest of the samples of a FLAC file whose marker has been read.

    Returns:
        16 bytes; none if the header does not state the digest.

    Raises:
        ZooError: its sample rate is not that of the first frame. The message does not have the name of
            the file.
    """
    block = stream.read(4)
    body = stream.read(_STREAM_INFO_BYTES)
    if len(body) < _STREAM_INFO_BYTES or block[0] & 0x7F:
        return b""
    while not block[0] & _LAST_BLOCK:
        block = stream.read(4)
        if len(block) < 4:
            return b""
        stream.seek(int.from_bytes(block[1:], "big"), 1)
    rate, frame_rate = int.from_bytes(body[10:13], "big") >> 4, _frame_rate(stream.read(16))
    if frame_rate not in (None, rate):
        raise ZooError(
            f"damaged: its header states {rate} Hz, and its first frame states {frame_rate} Hz"
        )
    digest = body[18:]
    return digest if any(digest) else b""


def _frame_rate(header: bytes) -> int | None:
    """Return the sample rate in the header of a frame in Hz; None if it has none."""
    if len(header) < 16 or header[0] != 0xFF or header[1] & 0xFE != 0xF8:
        return None
    size, rate = header[2] >> 4, header[2] & 15
    if rate in _RATES:
        return _RATES[rate]
    if rate not in _WRITTEN_RATES:
        return None
    unit, count = _WRITTEN_RATES[rate]
    number = max(1, 8 - (header[4] ^ 0xFF).bit_length())  # bytes of the number of the frame
    at = 4 + number + _SIZE_BYTES.get(size, 0)
    return unit * int.from_bytes(header[at : at + count], "big")
