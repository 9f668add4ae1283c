"""Seeded damage to the bytes of a file."""

from __future__ import annotations

import random
import re

# Replacements of a number or a word in a text.
TOKENS = (b"1e9", b"-1", b"1e400", b"NaN", b"null", b"[]", b"{}", b"9" * 5000, b"\0", b"\xff", b'"')
# Replacements of a four-byte number.
WORDS = (b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\xff\xff\xff\x7f", bytes(4), b"\x80\0\0\0")


def mutate(content: bytes, generator: random.Random) -> bytes:
    """Return bytes with one bit, byte range, number, word or line changed, removed or repeated."""
    if not content:
        return b"\0"
    return generator.choice(_DAMAGES)(content, generator)


def _span(content: bytes, generator: random.Random) -> tuple[int, int]:
    """Return the begin and end of a short random span."""
    begin = generator.randrange(len(content))
    return begin, begin + generator.randint(1, 64)


def _bit(content, generator):
    at = generator.randrange(len(content))
    return content[:at] + bytes([content[at] ^ 1 << generator.randrange(8)]) + content[at + 1 :]


def _noise(content, generator):
    begin, end = _span(content, generator)
    return content[:begin] + generator.randbytes(end - begin) + content[end:]


def _zeros(content, generator):
    begin, end = _span(content, generator)
    return content[:begin] + bytes(end - begin) + content[end:]


def _lost(content, generator):
    begin, end = _span(content, generator)
    return content[:begin] + content[end:]


def _doubled(content, generator):
    begin, end = _span(content, generator)
    return content[:end] + content[begin:]


def _cut(content, generator):
    return content[: generator.randrange(len(content))]


def _token(content, generator):
    begin, end = _span(content, generator)
    return content[:begin] + generator.choice(TOKENS) + content[generator.choice((begin, end)) :]


def _word(content, generator):
    # Most often in the header, which contains sizes.
    at = generator.randrange(min(len(content), generator.choice((64, 512, len(content)))))
    return content[:at] + generator.choice(WORDS) + content[at + 4 :]


def _number(content, generator):
    found = list(re.finditer(rb"-?\d+(\.\d+)?", content[: 2**16]))
    if not found:
        return _token(content, generator)
    begin, end = generator.choice(found).span()
    return content[:begin] + generator.choice(TOKENS) + content[end:]


def _line(content, generator):
    """Remove, repeat or move a line."""
    lines = content.splitlines(keepends=True)
    line = lines.pop(generator.randrange(len(lines)))
    for _ in range(generator.randrange(3)):
        lines.insert(generator.randint(0, len(lines)), line)
    return b"".join(lines)


_DAMAGES = (_bit, _noise, _zeros, _lost, _doubled, _cut, _token, _word, _number, _line)
