"""Open audio files: their type is recognized by content, and truncated files are refused."""

from __future__ import annotations

import contextlib
import io
import math
import re
import struct
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

import soundfile

from zoo.common.core.errors import ZooError
from zoo.common.utils.quiet import silent_stderr
from zoo.speech.audio.mpeg_frames import with_length
from zoo.speech.audio.ogg_pages import check_pages

_READABLE = "audio of a supported type (WAV, FLAC, OGG Vorbis or Opus, MP3, AIFF, NIST SPHERE)"
_FORMATS = {"WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "AIFF", "NIST"}
_UNRECOGNISED = 1  # libsndfile's SF_ERR_UNRECOGNISED_FORMAT
_UNKNOWN_SIZE = 0x7FFFFF00  # writers to a pipe put a size at least this large in the header

Silencer = Callable[[], contextlib.AbstractContextManager[None]]


@contextlib.contextmanager
def opened(
    source: str | Path | bytes, max_seconds: float
) -> Iterator[tuple[str, soundfile.SoundFile, Silencer]]:
    """Open an audio file that is complete according to its structure.

    Args:
        source: the path or the bytes of a file.
        max_seconds: maximum duration.

    Yields:
        The name for error messages; the decoder; and a context for calls of the decoder, in which its
        warnings are not printed.

    Raises:
        ZooError: the file is not audio, is truncated, or is too long according to its header.
    """
    with contextlib.ExitStack() as stack:
        name = "audio bytes" if isinstance(source, bytes) else str(source)
        try:
            stream = stack.enter_context(_stream(source))
        except OSError as error:
            raise ZooError(f"{name}: cannot be opened: {error.strerror}") from None
        head = stream.read(64)
        if not head:
            raise ZooError(f"{name}: empty: 0 bytes")
        with _named(name):
            _check_complete(stream)
        stream.seek(0)
        # libmpg123 writes warnings to file descriptor 2.
        mpeg = head[:3] == b"ID3" or (head[0] == 0xFF and head[1:2] >= b"\xe0")
        if mpeg:
            with _named(name):
                stream = stack.enter_context(_with_length(stream))
        decoding = silent_stderr if mpeg else contextlib.nullcontext
        not_audio = ZooError(f"{name}: not {_READABLE}. Received: {_describe(head)}")
        try:
            # By descriptor: for a path, libsndfile would use some extensions.
            with decoding():
                audio = soundfile.SoundFile(stream.fileno(), closefd=False)
            stack.enter_context(audio)
        except soundfile.LibsndfileError as error:
            if error.code == _UNRECOGNISED:
                raise not_audio from None
            raise ZooError(
                f"{name}: truncated, corrupt or of an unknown coding: its header cannot be read"
            ) from None
        if audio.format not in _FORMATS:
            raise not_audio
        if audio.frames > 1 << 62:
            raise ZooError(f"{name}: its header does not state a length. Encode it to a file again")
        check_duration(name, audio.frames, audio.samplerate, max_seconds)
        yield name, audio, decoding


def check_duration(name: str, frames: int, rate: int, max_seconds: float) -> None:
    """Check that a recording is not too long.

    Args:
        name: name of the recording for an error message.
        frames: number of samples per channel.
        rate: sample rate in Hz.
        max_seconds: maximum duration.

    Raises:
        ZooError: it is too long.
    """
    if frames > max_seconds * rate:
        raise ZooError(
            f"{name}: too long: it must last at most {max_seconds:.0f} s. "
            f"Received: {frames / rate:.0f} s"
        )


def _stream(source: str | Path | bytes) -> BinaryIO:
    """Return the source as an unbuffered file, whose descriptor the decoder can use."""
    if isinstance(source, bytes):
        stream = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 (the caller closes it)
        stream.write(source)
        stream.seek(0)
        return stream
    path = Path(source)
    if not path.exists():
        raise ZooError(f"{source}: no such file")
    if not path.is_file():
        kind = "a folder" if path.is_dir() else "a device or pipe"
        raise ZooError(f"{source}: it must be an audio file. Received: {kind}")
    return path.open("rb", buffering=0)


@contextlib.contextmanager
def _named(name: str) -> Iterator[None]:
    """Add the name of the file to an error."""
    try:
        yield
    except ZooError as error:
        raise ZooError(f"{name}: {error}") from None


@contextlib.contextmanager
def _with_length(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Yield an MP3 that states its length: the stream or a copy of it. Other streams do not change."""
    with tempfile.TemporaryFile(buffering=0) as new:
        chosen = new if with_length(stream, new) else stream
        chosen.seek(0)
        yield chosen


def _describe(head: bytes) -> str:
    text = head.decode("utf-8", errors="replace").rstrip("\ufffd")
    if text and all(letter.isprintable() or letter.isspace() for letter in text):
        return f"text, {' '.join(text.split())[:32]!r}"
    return f"bytes {head[:8].hex(' ')}"


# Truncation that libsndfile does not report


def _check_complete(stream: BinaryIO) -> None:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    magic = stream.read(4)
    if magic in (b"RIFF", b"RF64", b"RIFX", b"FORM"):
        order = "<" if magic in (b"RIFF", b"RF64") else ">"
        declared, held = _sound_chunk(stream, order, size)
    elif magic == b"OggS":
        return check_pages(stream)
    elif magic == b"NIST":
        declared, held = _sphere_samples(stream, size)
    else:
        return
    if declared > held:
        raise ZooError(
            f"truncated: its header states {declared} bytes of samples. Received: {held}"
        )


def _sound_chunk(stream: BinaryIO, order: str, size: int) -> tuple[int, int]:
    """Return the stated and the actual number of bytes of the samples of a WAV or AIFF."""
    stream.seek(12)
    long_size = 0
    while len(header := stream.read(8)) == 8:
        tag, length = struct.unpack(f"{order}4sI", header)
        start = stream.tell()
        if tag == b"ds64":
            long_size = int.from_bytes(stream.read(16)[8:], "little")
        if tag in (b"data", b"SSND"):
            length = long_size or (0 if length >= _UNKNOWN_SIZE else length)
            return length, size - start
        stream.seek(start + length + length % 2)
    return 0, 0


def _sphere_samples(stream: BinaryIO, size: int) -> tuple[int, int]:
    """Return the stated and the actual number of bytes of the samples of a NIST SPHERE file."""
    stream.seek(0)
    header = stream.read(1024)

    def number(pattern: bytes, default: int) -> int:
        match = re.search(pattern, header)
        return int(match[1]) if match else default

    names = (b"sample_count", b"channel_count", b"sample_n_bytes")
    declared = math.prod(number(name + rb" -i (\d+)", 1) for name in names)
    return declared, size - number(rb"\ANIST_1A\s+(\d+)", 1024)
