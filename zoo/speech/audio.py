"""Audio files as waveforms: any kind, rate and channels in, float32 mono at one rate out.

`soundfile` decodes and `soxr` resamples. What the decoder lets pass without a word (a file cut
short, a recording of nothing) is refused here, so that nothing later has to doubt a waveform.
"""

import contextlib
import io
import math
import os
import re
import struct
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import numpy as np
import soundfile
import soxr

from zoo.common.errors import ZooError

MIN_SECONDS = 0.025  # one analysis window
MAX_SECONDS = 3600.0
SILENCE = 1e-4  # of full scale, peak to peak: about three steps of a 16-bit file

_READABLE = "audio that can be read (WAV, FLAC, OGG Vorbis or Opus, MP3, AIFF, NIST SPHERE)"
_FORMATS = {"WAV", "WAVEX", "RF64", "FLAC", "OGG", "MP3", "AIFF", "NIST"}
_UNRECOGNISED = 1  # libsndfile's SF_ERR_UNRECOGNISED_FORMAT
_BLOCK = 1 << 18  # frames decoded at a time, so that an hour of stereo is never held whole
_UNKNOWN_SIZE = 0x7FFFFF00  # writers to a pipe put a size at least this large in the header


def read_audio(source: str | Path | bytes, sample_rate: int) -> np.ndarray:
    """Decode one recording.

    source: path of a file, or its bytes. WAV of every kind (PCM of 8 to 32 bits, float, mu-law,
        A-law, extensible), FLAC, OGG (Vorbis, Opus), MP3, AIFF or NIST SPHERE, told by content and
        not by extension; any rate and number of channels.
    sample_rate: int. Samples a second of the result, in Hz.

    Returns `float32 [samples]`: the mean of the channels, full scale 1.0, resampled if need be. A
    float file or a lossy one may overshoot full scale a little and is left as it is.

    Raises `ZooError`, with the file's name, for what is missing, empty, not audio, truncated,
    silent, not finite, shorter than 25 ms or longer than an hour. A cut MP3 or OGG is noticed where
    the file itself tells: by the frame count in an MP3's Xing header, by an OGG page unfinished.
    """
    with _opened(source) as (name, audio):
        rate, frames = audio.samplerate, audio.frames
        try:
            blocks = [np.zeros(0, np.float32)]
            while len(block := audio.read(_BLOCK, dtype="float32", always_2d=True)):
                with np.errstate(invalid="ignore", over="ignore"):  # told of below, in words
                    blocks.append(block.mean(axis=1, dtype=np.float32))
        except soundfile.LibsndfileError:
            raise ZooError(f"{name}: truncated or corrupt: its sound cannot be decoded") from None
        # Without a Xing header the length of an MP3 is the decoder's estimate: allow for its error.
        expected = 0.95 * frames if audio.format == "MP3" else frames
    waveform = np.concatenate(blocks)
    if waveform.size < expected:
        raise ZooError(
            f"{name}: truncated: its header tells of {frames / rate:.2f} s, "
            f"it holds {waveform.size / rate:.2f} s"
        )
    check_waveform(waveform, rate, name)
    return waveform if rate == sample_rate else soxr.resample(waveform, rate, sample_rate)


def audio_seconds(path: str | Path) -> float:
    """Length of an audio file in seconds by its header, without decoding it (0.3 ms a file).

    Raises `ZooError` for a file that is missing, empty, not audio, longer than an hour or, by what
    its header says, truncated.
    """
    with _opened(path) as (_, audio):
        return audio.frames / audio.samplerate


def check_waveform(waveform: np.ndarray, sample_rate: int, name: str) -> None:
    """Refuse a waveform that no recogniser can answer for.

    waveform: `float32 [samples]` at `sample_rate` Hz. name: what to call it in the error.

    Raises `ZooError` when it has other than one axis, lasts less than 25 ms or more than an hour,
    has a NaN or infinite sample, or is silent: all samples within `SILENCE` of each other.
    """
    if waveform.ndim != 1:
        raise ZooError(f"{name}: a waveform has one axis, [samples]. Received: {waveform.shape}")
    _check_duration(name, waveform.size, sample_rate)
    if waveform.size < MIN_SECONDS * sample_rate:
        raise ZooError(
            f"{name}: too short: at least {MIN_SECONDS * 1000:.0f} ms is needed. Received: "
            f"{waveform.size} sample(s), {1000 * waveform.size / sample_rate:.1f} ms"
        )
    finite = np.isfinite(waveform)
    if not finite.all():
        first = int(np.argmin(finite)) / sample_rate
        raise ZooError(
            f"{name}: {np.count_nonzero(~finite)} of {waveform.size} samples are NaN or infinite, "
            f"the first at {first:.2f} s"
        )
    if np.ptp(waveform) < SILENCE:
        raise ZooError(
            f"{name}: silent: its {waveform.size / sample_rate:.2f} s of samples stay within "
            f"{SILENCE} of full scale of each other"
        )


def _check_duration(name: str, frames: int, sample_rate: int) -> None:
    if frames > MAX_SECONDS * sample_rate:
        raise ZooError(
            f"{name}: too long: at most {MAX_SECONDS:.0f} s (one hour) is read. "
            f"Received: {frames / sample_rate:.0f} s"
        )


# Opening


@contextlib.contextmanager
def _opened(source: str | Path | bytes) -> Iterator[tuple[str, soundfile.SoundFile]]:
    """The name for errors and the decoder, of a file that is audio and whole as far as it tells."""
    with contextlib.ExitStack() as stack:
        name = "audio bytes" if isinstance(source, bytes) else str(source)
        try:
            stream = stack.enter_context(_stream(source))
        except OSError as error:
            raise ZooError(f"{name}: cannot be opened: {error.strerror}") from None
        head = stream.read(64)
        if not head:
            raise ZooError(f"{name}: empty: 0 bytes")
        _check_complete(name, stream)
        stream.seek(0)
        if head[:3] == b"ID3" or (head[0] == 0xFF and head[1:2] >= b"\xe0"):
            stack.enter_context(_quiet_stderr())
        not_audio = ZooError(f"{name}: not {_READABLE}. Received: {_describe(head)}")
        try:
            # By descriptor: given a path, libsndfile would believe some extensions.
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
            raise ZooError(f"{name}: written to a pipe, its header tells no length: encode it anew")
        _check_duration(name, audio.frames, audio.samplerate)
        yield name, audio


def _stream(source: str | Path | bytes) -> BinaryIO:
    """The source as a file without a buffer, whose descriptor the decoder can go on with."""
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
        raise ZooError(f"{source}: an audio file is needed. Received: {kind}")
    return path.open("rb", buffering=0)


_stderr_lock = threading.Lock()


@contextlib.contextmanager
def _quiet_stderr() -> Iterator[None]:
    """Point file descriptor 2 elsewhere: libmpg123 writes its warnings there, unasked."""
    with _stderr_lock, open(os.devnull, "wb") as nowhere:
        saved = os.dup(2)
        try:
            os.dup2(nowhere.fileno(), 2)
            yield
        finally:
            os.dup2(saved, 2)
            os.close(saved)


def _describe(head: bytes) -> str:
    text = head.decode("utf-8", errors="replace").rstrip("\ufffd")
    if text and all(letter.isprintable() or letter.isspace() for letter in text):
        return f"text, {' '.join(text.split())[:32]!r}"
    return f"bytes {head[:8].hex(' ')}"


# Truncation that libsndfile repairs without a word


def _check_complete(name: str, stream: BinaryIO) -> None:
    size = stream.seek(0, io.SEEK_END)
    stream.seek(0)
    magic = stream.read(4)
    if magic in (b"RIFF", b"RF64", b"RIFX", b"FORM"):
        order = "<" if magic in (b"RIFF", b"RF64") else ">"
        declared, held = _sound_chunk(stream, order, size)
    elif magic == b"OggS":
        declared, held = _last_page(stream, size)
    elif magic == b"NIST":
        declared, held = _sphere_samples(stream, size)
    else:
        return
    if declared > held:
        raise ZooError(
            f"{name}: truncated: {declared} bytes of sound are declared, {held} are there"
        )


def _sound_chunk(stream: BinaryIO, order: str, size: int) -> tuple[int, int]:
    """Bytes the chunk of samples of a WAV or AIFF declares, and the bytes the file has for it."""
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


def _last_page(stream: BinaryIO, size: int) -> tuple[int, int]:
    """Bytes the last page of an OGG needs (RFC 3533), and the bytes the file has for it."""
    window = min(size, 1 << 17)  # two pages of the largest size
    stream.seek(size - window)
    tail = stream.read(window)
    page = tail[tail.rfind(b"OggS\0") :]
    if len(page) < 27:
        return 27, len(page)
    return 27 + page[26] + sum(page[27 : 27 + page[26]]), len(page)


def _sphere_samples(stream: BinaryIO, size: int) -> tuple[int, int]:
    """Bytes of samples a NIST SPHERE header declares, and the bytes the file has for them."""
    stream.seek(0)
    header = stream.read(1024)

    def number(pattern: bytes, default: int) -> int:
        match = re.search(pattern, header)
        return int(match[1]) if match else default

    names = (b"sample_count", b"channel_count", b"sample_n_bytes")
    declared = math.prod(number(name + rb" -i (\d+)", 1) for name in names)
    return declared, size - number(rb"\ANIST_1A\s+(\d+)", 1024)
