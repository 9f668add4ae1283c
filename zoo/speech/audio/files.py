"""Open audio files: their type is recognized by content, and truncated files are refused."""

from __future__ import annotations

import contextlib
import hashlib
import io
import math
import re
import struct
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile

from zoo.common.core.errors import ZooError
from zoo.common.utils.quiet import silent_stderr
from zoo.speech.audio.flac_header import read_digest
from zoo.speech.audio.mpeg_frames import find_parts
from zoo.speech.audio.ogg_pages import check_pages
from zoo.speech.audio.parts import Part

# Receives the reason why a file ends early.
OnCut = Callable[[str], None]

_READABLE = "audio of a supported type (WAV, FLAC, OGG Vorbis or Opus, MP3, AIFF, NIST SPHERE)"
_FORMATS = {"WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "AIFF", "NIST"}
_UNRECOGNISED = 1  # libsndfile's SF_ERR_UNRECOGNISED_FORMAT
_UNKNOWN_SIZE = 0x7FFFFF00  # writers to a pipe put a size at least this large in the header
# Sample rates in Hz. Upsampling of a lower one would take minutes.
MIN_RATE, MAX_RATE = 100, 1_000_000
# Samples of a block of a file that may end early: at most one second at common rates.
_CUT_BLOCK = 1 << 13
# Two frames of an MP3 in samples: decoders disagree about its first and last samples.
_MP3_SPARE = 2 * 1152
# Numbers of bits of FLAC samples whose digest can be compared.
_DIGEST_BITS = {"PCM_S8": 8, "PCM_16": 16, "PCM_24": 24}


@dataclass(frozen=True)
class AudioFile:
    """An audio file that is complete according to its structure.

    Args:
        name: its name for error messages.
        rate: sample rate in Hz.
        channels: largest number of channels of its parts.
        frames: number of samples per channel according to its header.
        least_frames: smallest number of samples per channel that a complete file has.
        decoders: opens the decoder of each part, in order.
        silencer: a context for calls of a decoder that hides the warnings that it prints.
        digest: MD5 digest of the decoded samples; empty if the file does not state it.
        on_cut: receives the reason why a file ends early, which is an error without it.
    """

    name: str
    rate: int
    channels: int
    frames: int
    least_frames: int
    decoders: Callable[[], Iterator[soundfile.SoundFile]]
    silencer: Callable[[], contextlib.AbstractContextManager[None]]
    digest: bytes = b""
    on_cut: OnCut | None = None

    def blocks(self, size: int) -> Iterator[np.ndarray]:
        """Yield float32 [samples, channels], at most `size` samples at a time, from the begin.

        Raises:
            ZooError: the file cannot be decoded; or, after the last block, it is truncated or its
                samples are not those of its digest.
        """
        received, md5 = 0, hashlib.md5(usedforsecurity=False)
        dtype = "int32" if self.digest else "float32"
        if self.on_cut is not None:
            size = min(size, _CUT_BLOCK)  # the samples of a block that fails are lost
        for decoder in self.decoders():
            while True:
                try:
                    with self.silencer():
                        block = decoder.read(size, dtype=dtype, always_2d=True)
                except soundfile.LibsndfileError:
                    return self._cut(
                        f"truncated or corrupt: its audio cannot be decoded from "
                        f"{received / self.rate:.2f} s on"
                    )
                if not len(block):
                    break
                received += len(block)
                if self.digest:
                    md5.update(_low_bytes(block, _DIGEST_BITS[decoder.subtype] // 8))
                    block = block.astype(np.float32) / np.float32(2**31)
                yield block
        if received < self.least_frames:
            return self._cut(
                f"truncated: its header states {self.frames / self.rate:.2f} s. "
                f"Received: {received / self.rate:.2f} s"
            )
        if self.digest and md5.digest() != self.digest:
            raise ZooError(f"{self.name}: damaged: its samples are not those of its checksum")

    def _cut(self, reason: str) -> None:
        if self.on_cut is None:
            raise ZooError(f"{self.name}: {reason}")
        self.on_cut(reason)


@contextlib.contextmanager
def opened(
    source: str | Path | bytes, max_seconds: float, on_cut: OnCut | None = None
) -> Iterator[AudioFile]:
    """Open an audio file.

    Args:
        source: the path or the bytes of a file.
        max_seconds: maximum duration.
        on_cut: receives the reason why a file ends early, which is then read up to there.

    Raises:
        ZooError: the file is not audio, is truncated or damaged, or is too long according to its header.
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
        # libmpg123 writes warnings to file descriptor 2.
        mpeg = head[:3] == b"ID3" or (head[0] == 0xFF and head[1:2] >= b"\xe0")
        silencer = silent_stderr if mpeg else contextlib.nullcontext
        with _named(name):
            parts = find_parts(stream) if mpeg else _checked_parts(stream, on_cut)

        def decoders() -> Iterator[soundfile.SoundFile]:
            for part in parts:
                with part.opened(stream) as file:
                    with silencer():
                        decoder = _open_decoder(name, file, head)
                    with decoder:
                        yield decoder

        audio = _audio_file(name, decoders, silencer, max_seconds, _digest(name, stream))
        yield replace(audio, on_cut=on_cut)


def _open_decoder(name: str, file: BinaryIO, head: bytes) -> soundfile.SoundFile:
    """Return the decoder of a file. Raises `ZooError` if it is not audio of a supported type."""
    not_audio = ZooError(f"{name}: not {_READABLE}. Received: {_describe(head)}")
    try:
        # By descriptor: for a path, libsndfile would use some extensions.
        decoder = soundfile.SoundFile(file.fileno(), closefd=False)
    except soundfile.LibsndfileError as error:
        if error.code == _UNRECOGNISED:
            raise not_audio from None
        raise ZooError(
            f"{name}: truncated, corrupt or of an unknown coding: its header cannot be read"
        ) from None
    if decoder.format not in _FORMATS:
        decoder.close()
        raise not_audio
    return decoder


def _audio_file(
    name: str,
    decoders: Callable[[], Iterator[soundfile.SoundFile]],
    silencer: Callable[[], contextlib.AbstractContextManager[None]],
    max_seconds: float,
    digest: bytes,
) -> AudioFile:
    """Return the file with the properties of all its parts. Raises as `opened`."""
    rates, channels, frames, least = set(), 0, 0, 0
    for decoder in decoders():
        if decoder.frames > 1 << 62:
            raise ZooError(f"{name}: its header does not state a length. Encode it to a file again")
        rates.add(decoder.samplerate)
        channels = max(channels, decoder.channels)
        frames += decoder.frames
        least += max(0, decoder.frames - (_MP3_SPARE if decoder.format == "MP3" else 0))
        if decoder.subtype not in _DIGEST_BITS:
            digest = b""
    if len(rates) > 1:
        raise ZooError(
            f"{name}: its parts must have one sample rate. "
            f"Received: {', '.join(map(str, sorted(rates)))} Hz. Split it into files"
        )
    (rate,) = rates
    if not MIN_RATE <= rate <= MAX_RATE:
        raise ZooError(
            f"{name}: its sample rate must be from {MIN_RATE} to {MAX_RATE} Hz. Received: {rate} Hz"
        )
    check_duration(name, frames, rate, max_seconds)
    return AudioFile(name, rate, channels, frames, least, decoders, silencer, digest)


def _low_bytes(samples: np.ndarray, count: int) -> bytes:
    """Return samples in the high bits of int32 as little-endian numbers of `count` bytes."""
    octets = np.ascontiguousarray(samples).astype("<i4").view(np.uint8)
    return octets.reshape(-1, 4)[:, 4 - count :].tobytes()


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


def _describe(head: bytes) -> str:
    text = head.decode("utf-8", errors="replace").rstrip("\ufffd")
    if text and all(letter.isprintable() or letter.isspace() for letter in text):
        return f"text, {' '.join(text.split())[:32]!r}"
    return f"bytes {head[:8].hex(' ')}"


# Damages and parts that libsndfile does not report


def _checked_parts(stream: BinaryIO, on_cut: OnCut | None) -> list[Part]:
    """Return the parts of a file. Raises `ZooError` without the name of the file."""
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    magic = stream.read(4)
    if magic == b"OggS":
        links, cut = check_pages(stream, on_cut)
        if len(links) < 2 and cut is None:
            return [Part()]
        return [Part(*ends) for ends in zip(links, [*links[1:], cut], strict=True)]
    if magic in (b"RIFF", b"RF64", b"RIFX", b"FORM"):
        order = "<" if magic in (b"RIFF", b"RF64") else ">"
        declared, begin = _sound_chunk(stream, order, size)
        held = size - begin
        if magic in (b"RIFF", b"RIFX") and not declared and _is_unfinished(stream, begin, order):
            stream.seek(0)
            header = stream.read(begin - 4) + struct.pack(f"{order}I", min(held, 0xFFFFFFFF))
            return [Part(begin, header=header)]
    elif magic == b"NIST":
        declared, held = _sphere_samples(stream, size)
    else:
        return [Part()]
    if declared > held:
        reason = f"truncated: its header states {declared} bytes of samples. Received: {held}"
        if on_cut is None:
            raise ZooError(reason)
        on_cut(reason)
    return [Part()]


def _digest(name: str, stream: BinaryIO) -> bytes:
    """Return the MD5 digest of the samples in the header of a FLAC file; empty if there is none."""
    stream.seek(0)
    if stream.read(4) != b"fLaC":
        return b""
    with _named(name):
        return read_digest(stream)


def _sound_chunk(stream: BinaryIO, order: str, size: int) -> tuple[int, int]:
    """Return the stated number of bytes of the samples of a WAV or AIFF, and their offset.

    The number is 0 if it is unknown.
    """
    stream.seek(12)
    long_size = 0
    while len(header := stream.read(8)) == 8:
        tag, length = struct.unpack(f"{order}4sI", header)
        start = stream.tell()
        if tag == b"ds64":
            long_size = int.from_bytes(stream.read(16)[8:], "little")
        if tag in (b"data", b"SSND"):
            return long_size or (0 if length >= _UNKNOWN_SIZE else length), start
        stream.seek(start + length + length % 2)
    return 0, size


def _is_unfinished(stream: BinaryIO, begin: int, order: str) -> bool:
    """Return whether samples follow a chunk "data" that states 0 bytes, and not other chunks.

    A recorder that is killed leaves such a header.
    """
    stream.seek(begin - 4)
    if stream.read(4) != bytes(4):
        return False
    size = stream.seek(0, io.SEEK_END)
    while begin < size:
        stream.seek(begin)
        header = stream.read(8)
        if len(header) < 8 or not (header[:4].isascii() and header[:4].decode().isprintable()):
            return True
        (length,) = struct.unpack(f"{order}I", header[4:])
        begin += 8 + length + length % 2
    return begin > size + 1


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
