"""Read videos at evenly spaced times, one frame after another, so that memory is bounded.

FFmpeg decodes the files, through PyAV. Frames are selected by their time stamps: each time gets the
frame that is shown then, also at a variable frame rate.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from zoo.common.core.errors import ZooError, check_range
from zoo.common.utils.files import check_file

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".mpeg")
# The formats, by FFmpeg's names, that it may detect. Playlists are excluded: they open other files.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,ogg,flv,asf"
# Slightly more than 4K.
MAX_PIXELS = 10_000_000
MAX_SECONDS = 600.0
# Number of frames that may be missing at the end, since encoders count frames in different ways.
SPARE_FRAMES = 2
# Time stamps are rounded to the time base of the file.
ROUNDING_SECONDS = 1e-3


def read_video(path: Path, frame_rate: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a video file at evenly spaced times.

    Args:
        path: the file.
        frame_rate: sampled frames per second.
        size: side of the square to which each whole frame is scaled, by averages over areas.

    Returns:
        (frames uint8 [time, size, size, 3], RGB; times float64 [time + 1], the start of each frame and
        the end of the last one, in seconds after the first frame of the file).

    Raises:
        ZooError: PyAV is not installed; or the file is missing, is not a video, has no frames, is
            truncated, changes the size of its picture, has too large frames or is too long.
    """
    check_file(path)
    if not path.stat().st_size:
        raise ZooError(f"{path} is empty.")
    av = pyav()
    try:
        # A file object: a path could be taken for an address.
        with (
            path.open("rb") as file,
            av.open(file, options={"format_whitelist": FORMATS}) as container,
        ):
            frames = _at_even_times(container, frame_rate, size)
    except (av.FFmpegError, OSError, ValueError, LookupError) as error:
        raise ZooError(f"{path}: {_reason(error)}") from None
    return np.stack(frames), np.arange(len(frames) + 1) / frame_rate


def sample_frames(
    frames: np.ndarray, rate: float, frame_rate: float, size: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return a video in memory at evenly spaced times, as `read_video` returns a file.

    Args:
        frames: uint8 [time, height, width, 3], RGB.
        rate: frames per second of `frames`.
        frame_rate: sampled frames per second.
        size: side of the square to which each whole frame is scaled.

    Raises:
        ZooError: the array has another shape or type, or the video is too long.
    """
    frames = np.asarray(frames)
    if frames.dtype != np.uint8 or frames.ndim != 4 or frames.shape[3] != 3 or not frames.size:
        raise ZooError(
            "frames must be uint8 [time, height, width, 3]. "
            f"Received: {frames.dtype} {list(frames.shape)}."
        )
    check_range("The frame rate", rate, above=0, at_most=1_000)
    seconds = len(frames) / rate
    check_range("The duration in seconds", seconds, at_most=MAX_SECONDS)
    count = max(1, math.ceil((seconds - ROUNDING_SECONDS) * frame_rate))
    shown = (np.arange(count) / frame_rate + ROUNDING_SECONDS) * rate
    indices = np.minimum(shown.astype(int), len(frames) - 1)
    small = [
        np.asarray(Image.fromarray(frames[i]).resize((size, size), Image.Resampling.BOX))
        for i in indices
    ]
    return np.stack(small), np.arange(count + 1) / frame_rate


def _at_even_times(container: Any, frame_rate: float, size: int) -> list[np.ndarray]:
    """Return the frames that are shown at the times k / frame_rate, scaled to squares."""
    taken: list[np.ndarray] = []
    for frame, end in _timed(container):
        count = math.ceil((end - ROUNDING_SECONDS) * frame_rate)
        if count > len(taken):
            small = frame.to_ndarray(width=size, height=size, format="rgb24", interpolation="AREA")
            turned = np.ascontiguousarray(np.rot90(small, frame.rotation // 90))
            taken += [turned] * (count - len(taken))
    if not taken:
        raise ZooError("a video must have frames. Received: none.")
    return taken


def _timed(container: Any) -> Iterator[tuple[Any, float]]:
    """Yield each frame and its end, in seconds after the start of the first frame.

    Raises:
        ZooError: as `read_video`.
    """
    if not container.streams.video:
        raise ZooError("the file must have a video stream. Received: none.")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise ZooError("the codec of the video stream is not supported.")
    _check_size(stream.codec_context.width, stream.codec_context.height)
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    shown, start, sizes, count = None, 0.0, set(), 0
    for count, frame in enumerate(container.decode(stream), start=1):
        _check_size(frame.width, frame.height)
        sizes.add(f"{frame.width} x {frame.height}")
        if len(sizes) > 1:
            received = " and ".join(sorted(sizes))
            raise ZooError(f"the size of the frames must not change. Received: {received}.")
        if frame.time is None:
            raise ZooError(f"frame {count} must have a time stamp.")
        start = frame.time if shown is None else start
        if frame.time - start > MAX_SECONDS:
            raise ZooError(f"a video must have at most {MAX_SECONDS:,.0f} seconds.")
        if shown is not None:
            yield shown, frame.time - start
        shown = frame
    if count < stream.frames - SPARE_FRAMES:
        raise ZooError(
            f"truncated or damaged: only {count:,} of {stream.frames:,} frames can be read."
        )
    if shown is not None:
        yield shown, shown.time - start + 1 / float(stream.average_rate or 25)


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ZooError(
            f"a frame must have at most {MAX_PIXELS:,} pixels. Received: {width} x {height}."
        )


def _reason(error: Exception) -> str:
    """Return the cause of an error in one line."""
    if isinstance(error, ZooError):
        return str(error)
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    return f"not a supported video file, or damaged: {text[:120]}."


def pyav() -> Any:
    """Return the module `av`.

    Raises:
        ZooError: it is not installed.
    """
    try:
        return importlib.import_module("av")
    except ImportError:
        raise ZooError("Videos require PyAV: pip install 'recurrent-zoo[video]'") from None
