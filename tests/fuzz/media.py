"""Kinds of files with recordings, pictures and videos."""

from __future__ import annotations

import functools
from pathlib import Path

import numpy as np
import soundfile

from tests.fuzz.making import CLIP, kind, picture
from zoo.speech.audio.mpeg_frames import parse_header
from zoo.speech.audio.reading import read_audio, recording_seconds
from zoo.speech.detection.array_files import read_array
from zoo.vision_language.captioning.images import read_image
from zoo.vision_language.motion.moving_shapes import write_clip
from zoo.vision_language.motion.video_files import read_video

RATE = 16_000

# Recordings


def _recording(container: str, coding: str, path: Path) -> None:
    samples, rate = soundfile.read(CLIP, dtype="float32", frames=RATE // 2)
    soundfile.write(path, samples, rate, format=container, subtype=coding)


def _read_recording(path: Path) -> np.ndarray:
    """Read a recording at two sample rates, and its length."""
    samples = read_audio(path, RATE)
    read_audio(path, 2000)
    recording_seconds(path)
    return samples


def _joined(container: str, coding: str, path: Path) -> None:
    """Write two recordings one after the other, such as a chained OGG."""
    _recording(container, coding, path)
    path.write_bytes(2 * path.read_bytes())


def _mp3_without_length(path: Path) -> None:
    """Write an MP3 file without its first frame, which states the number of frames."""
    _recording("MP3", "MPEG_LAYER_III", path)
    content = path.read_bytes()
    path.write_bytes(content[parse_header(content[:4]).size :])


_RECORDINGS = {
    "WAV": ("WAV", "PCM_16", False),
    "WAV of floats": ("WAV", "FLOAT", False),
    "WAV, mu-law": ("WAV", "ULAW", False),
    "AIFF": ("AIFF", "PCM_16", False),
    "NIST SPHERE": ("NIST", "PCM_16", False),
    "FLAC": ("FLAC", "PCM_16", True),
    "OGG Vorbis": ("OGG", "VORBIS", True),
    "OGG Opus": ("OGG", "OPUS", True),
    "MP3": ("MP3", "MPEG_LAYER_III", False),
}
RECORDINGS = [
    *(
        kind(
            name,
            "clip",
            functools.partial(_recording, container, coding),
            _read_recording,
            detectable=detectable,
        )
        for name, (container, coding, detectable) in _RECORDINGS.items()
    ),
    kind(
        "OGG Opus, chained",
        "clip",
        functools.partial(_joined, "OGG", "OPUS"),
        _read_recording,
        detectable=True,
    ),
    kind(
        "MP3, joined", "clip", functools.partial(_joined, "MP3", "MPEG_LAYER_III"), _read_recording
    ),
    kind("MP3 without its length", "clip", _mp3_without_length, _read_recording),
    kind(
        "spectrogram",
        "a.npy",
        lambda path: np.save(path, np.eye(20, 64, dtype=np.float32)),
        lambda path: read_array(str(path)),
    ),
]

# Pictures and videos


def _video(path: Path) -> None:
    frames = np.random.default_rng(0).integers(0, 255, (12, 64, 64, 3), np.uint8)
    write_clip(path, frames, 10)


PICTURES = [
    *(
        kind(
            suffix.upper(),
            f"a.{suffix}",
            picture,
            lambda path: read_image(path, 32),
            detectable=suffix == "png",
        )
        for suffix in ("jpeg", "png", "webp", "gif", "bmp", "tiff")
    ),
    *(
        kind(suffix.upper(), f"a.{suffix}", _video, lambda path: list(read_video(path, 5.0, 32)))
        for suffix in ("mp4", "mkv", "avi")
    ),
]

KINDS = [*RECORDINGS, *PICTURES]
