"""Seeded damage to the structure of a file: its chunks, pages, headers, dialect, or characters.

The changes leave a file that a reader accepts at first: sizes fit, and checksums are computed again.
"""

from __future__ import annotations

import random
import struct
import unicodedata
import zlib

from zoo.speech.audio.mpeg_frames import parse_header

# Values of numbers of 16 and of 32 bits.
SHORTS = (0, 1, 2, 3, 6, 7, 17, 255, 65_534, 65_535)
LONGS = (0, 1, 5, 8000, 16_000, 2**31 - 1, 2**31, 2**32 - 1)


def riff(content: bytes, generator: random.Random) -> bytes:
    """Change the chunks of a WAV: order, number, sizes, or a field of the format."""
    chunks, at = [], 12
    while at + 8 <= len(content):
        name, size = struct.unpack("<4sI", content[at : at + 8])
        chunks.append([name, size, content[at + 8 : at + 8 + size]])
        at += 8 + size + size % 2
    chunk = generator.choice(chunks)
    kind = generator.randrange(6)
    if kind == 0:
        chunk[1] = generator.choice((*LONGS, max(0, chunk[1] - 1), chunk[1] + 1))
    elif kind == 1:
        chunks.remove(chunk)
        for _ in range(generator.randrange(3)):
            chunks.insert(generator.randint(0, len(chunks)), chunk)
    elif kind == 2:
        body = generator.randbytes(generator.randrange(9))
        name = generator.choice((b"LIST", b"fact", b"JUNK", b"bext", b"\0\0\0\0", b"data", b"cue "))
        chunks.insert(generator.randint(0, len(chunks)), [name, len(body), body])
    else:
        form = next(c for c in chunks if c[0] == b"fmt ")
        offset = generator.choice((0, 2, 4, 8, 12, 14))
        if offset in (4, 8):
            field = struct.pack("<I", generator.choice(LONGS))
        else:
            field = struct.pack("<H", generator.choice(SHORTS))
        form[2] = form[2][:offset] + field + form[2][offset + len(field) :]
    body = b"".join(
        struct.pack("<4sI", name, size) + data + bytes(len(data) % 2) for name, size, data in chunks
    )
    size = generator.choice((len(body) + 4, len(body) + 4, *LONGS))
    return (
        generator.choice((b"RIFF", b"RIFF", b"RIFX", b"RF64"))
        + struct.pack("<I", size)
        + b"WAVE"
        + body
    )


def flac(content: bytes, generator: random.Random) -> bytes:
    """Change a field of STREAMINFO, or the blocks of metadata after it."""
    info = bytearray(content[8:42])
    if generator.random() < 0.6:
        first, width = generator.choice(
            (
                (0, 16),
                (16, 16),
                (32, 24),
                (56, 24),
                (80, 20),
                (100, 3),
                (103, 5),
                (108, 36),
                (144, 128),
            )
        )
        value = int.from_bytes(info, "big")
        shift = len(info) * 8 - first - width
        mask = (1 << width) - 1
        new = generator.choice((0, 1, mask, generator.getrandbits(width)))
        info = (value & ~(mask << shift) | new << shift).to_bytes(len(info), "big")
        return content[:8] + info + content[42:]
    kind, body = generator.randrange(128), generator.randbytes(generator.randrange(20))
    size = generator.choice((len(body), len(body), 2**24 - 1))
    block = bytes([kind | 0x80 * generator.randrange(2)]) + size.to_bytes(3, "big") + body
    return content[:4] + bytes([content[4] & 0x7F]) + content[5:42] + block + content[42:]


def pages(content: bytes) -> list[bytes]:
    """Return the pages of an OGG file."""
    found, at = [], 0
    while at < len(content):
        count = content[at + 26]
        end = at + 27 + count + sum(content[at + 27 : at + 27 + count])
        found.append(content[at:end])
        at = end
    return found


def ogg(content: bytes, generator: random.Random) -> bytes:
    """Change the order and number of the pages of an OGG file, or a field of one."""
    found = pages(content)
    at = generator.randrange(len(found))
    kind = generator.randrange(4)
    if kind == 0:
        page = found.pop(at)
        for _ in range(generator.randrange(3)):
            found.insert(generator.randint(0, len(found)), page)
    elif kind == 1:
        found = found[at:] + found[:at]
    else:
        begin, size = generator.choice(((4, 1), (5, 1), (6, 8), (14, 4), (18, 4)))
        field = generator.choice((bytes(size), b"\xff" * size, generator.randbytes(size)))
        found[at] = found[at][:begin] + field + found[at][begin + size :]
    if generator.random() < 0.3:  # another link
        found += pages(content)
    return b"".join(map(_with_checksum, found))


_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


def _with_checksum(page: bytes) -> bytes:
    """Return a page with its checksum, a CRC-32 whose bits are in the opposite order of zlib's."""
    blank = page[:22] + bytes(4) + page[26:]
    crc = zlib.crc32(blank.translate(_REVERSED), 0xFFFFFFFF) ^ 0xFFFFFFFF
    checksum = int(f"{crc:032b}"[::-1], 2).to_bytes(4, "little")
    return page[:22] + checksum + page[26:]


def mp3(content: bytes, generator: random.Random) -> bytes:
    """Insert a frame with a length, or a tag, before an MP3 or between two copies of it."""
    frame = parse_header(content[:4])
    count = generator.choice((0, 1, 5, 2**31, 2**32 - 1))
    flags = generator.randrange(16)
    body = struct.pack(">II", flags, count) + generator.randbytes(40)
    if generator.random() < 0.5:
        tag = bytes(frame.information - 4) + generator.choice((b"Xing", b"Info")) + body
    else:
        tag = bytes(32) + b"VBRI" + generator.randbytes(10) + struct.pack(">I", count) + bytes(20)
    header = (content[:4] + tag).ljust(frame.size, b"\0")[: frame.size]
    size = generator.choice((0, 10, 127, 2**14))
    id3 = (
        b"ID3\x04\0\0"
        + bytes((0, 0, size >> 7 & 127, size & 127))
        + bytes(generator.choice((size, 3)))
    )
    ape = b"APETAGEX" + generator.randbytes(24)
    extra = generator.choice((header, header, id3, ape, b"TAG" + bytes(125)))
    return generator.choice((extra + content, content + extra, content + extra + content))


def table(content: bytes, generator: random.Random) -> bytes:
    """Write a table of commas in another dialect, valid or not."""
    text = content.decode()
    lines = text.splitlines()
    kind = generator.randrange(8)
    if kind == 0:
        text = text.replace(",", generator.choice(";\t|"))
    elif kind == 1:
        text = "\n".join(f"{line}{generator.choice(',;')}" for line in lines)
    elif kind == 2:
        text = "\n".join(
            '"' + line.replace(",", generator.choice(('","', '",', ',"'))) + '"' for line in lines
        )
    elif kind == 3:
        at = generator.randrange(len(lines))
        lines[at] = lines[at].replace(",", generator.choice((',"\n"', '"\n,', '," ,"')), 1)
        text = "\n".join(lines)
    elif kind == 4:
        text = "\n".join(f"{i if i else ''},{line}" for i, line in enumerate(lines))
    elif kind == 5:
        lines.insert(
            generator.randint(0, len(lines)), generator.choice(("", " ", ",", lines[0], "#"))
        )
        text = "\n".join(lines)
    elif kind == 6:
        text = text.replace(".", ",") if generator.random() < 0.5 else text.replace(",", ", ")
    text = text.replace("\n", generator.choice(("\n", "\r\n", "\r", "\n\r", "\u2028")))
    encoding = generator.choice(("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32", "utf-7"))
    return text.encode(encoding)


# Characters that are white space, have no width, join letters, or are outside the first plane; and bytes
# that are not UTF-8: a surrogate, a long form of "/", the start of a character.
CHARACTERS = (
    "\0\x1a\x1c\x85\xa0\xad\u0301\u0378\u200b\u200d\u2028\u202e\u3000\ufeff\ufffd\uffff🙂𝒳가क्ष"
)
INVALID = (b"\xed\xa0\x80", b"\xc0\xaf", b"\xf0\x9f")


def characters(content: bytes, generator: random.Random) -> bytes:
    """Insert, decompose or change characters of a text in UTF-8."""
    text = content.decode()
    at = generator.randrange(len(text))
    kind = generator.randrange(5)
    if kind == 0:
        return text.encode()[: at + 1] + generator.choice(INVALID) + text.encode()[at + 1 :]
    if kind == 1:
        text = unicodedata.normalize(generator.choice(("NFD", "NFKD", "NFKC")), text + "é")
    elif kind == 2:
        text = (
            text[:at]
            + chr(generator.choice((generator.randrange(0x20, 0xD800), 0x10FFFF)))
            + text[at:]
        )
    else:
        for _ in range(generator.randint(1, 4)):
            at = generator.randrange(len(text))
            text = text[:at] + generator.choice(CHARACTERS) + text[at + generator.randrange(2) :]
    return text.encode()
