"""Video files: frames at even times, each made small, read one by one so that memory stays bounded.

FFmpeg decodes, through PyAV. The time stamps of the frames count, not their number: of a file with a
variable frame rate, each even time gets the frame that is on the screen then.
"""

from __future__ import annotations

import importlib
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.utils.files import check_file

SUFFIXES = (".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".ts", ".mpg", ".mpeg")
# FFmpeg's names of what it may take a file for. A playlist is not among them: it opens other files.
FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,mpeg,ogg,flv,asf"
# A little above 4K.
MAX_PIXELS = 10_000_000
MAX_SECONDS = 600.0
# Of the frames that a header promises, so many may be missing at the end: not every encoder counts
# alike.
SPARE_FRAMES = 2
# Time stamps are rounded to the clock of the file.
CLOCK_SECONDS = 1e-3


def read_video(path: Path, frame_rate: float, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return a video at even times.

    Args:
        path: the file. frame_rate: frames in a second that are taken.
        size: each is scaled to a square of this side, whole, by averages over areas, so that no detail
            is skipped.

    Returns:
        (frames uint8 [time, size, size, 3], RGB; times float64 [time + 1], when each begins and when the
        last one ends, in seconds after the first frame of the file).

    Raises:
        ZooError: PyAV is not installed; or the file, which is named, is missing, no video, has no
            frames, is truncated, changes the size of its picture, has too large frames or is too long.
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


def _at_even_times(container: Any, frame_rate: float, size: int) -> list[np.ndarray]:
    """The frames on the screen at times k / frame_rate, each made small."""
    taken: list[np.ndarray] = []
    for frame, end in _timed(container):
        count = math.ceil((end - CLOCK_SECONDS) * frame_rate)
        if count > len(taken):
            small = frame.to_ndarray(width=size, height=size, format="rgb24", interpolation="AREA")
            turned = np.ascontiguousarray(np.rot90(small, frame.rotation // 90))
            taken += [turned] * (count - len(taken))
    if not taken:
        raise ZooError("it must have frames: there are none in it.")
    return taken


def _timed(container: Any) -> Iterator[tuple[Any, float]]:
    """Yield each frame and when it leaves the screen, in seconds after the first one came.

    Raises:
        ZooError: as of `read_video`.
    """
    if not container.streams.video:
        raise ZooError("it must have a picture: there is none in it.")
    stream = container.streams.video[0]
    if stream.codec_context is None:
        raise ZooError("its picture must be coded in a known way: there is no decoder for it.")
    _check_size(stream.codec_context.width, stream.codec_context.height)
    stream.codec_context.options = {"max_pixels": str(MAX_PIXELS)}
    shown, start, sizes, count = None, 0.0, set(), 0
    for count, frame in enumerate(container.decode(stream), start=1):
        _check_size(frame.width, frame.height)
        sizes.add(f"{frame.width} x {frame.height}")
        if len(sizes) > 1:
            received = " and ".join(sorted(sizes))
            raise ZooError(f"the size of its picture must not change. Received: {received}.")
        if frame.time is None:
            raise ZooError(f"frame {count} must have a time stamp.")
        start = frame.time if shown is None else start
        if frame.time - start > MAX_SECONDS:
            raise ZooError(f"a video must have at most {MAX_SECONDS:,.0f} seconds.")
        if shown is not None:
            yield shown, frame.time - start
        shown = frame
    if count < stream.frames - SPARE_FRAMES:
        raise ZooError(f"truncated or damaged: {count:,} of its {stream.frames:,} frames are left.")
    if shown is not None:
        yield shown, shown.time - start + 1 / float(stream.average_rate or 25)


def _check_size(width: int, height: int) -> None:
    if width * height > MAX_PIXELS:
        raise ZooError(
            f"a frame must have at most {MAX_PIXELS:,} pixels. Received: {width} x {height}."
        )


def _reason(error: Exception) -> str:
    """What is wrong with a file, in one line."""
    if isinstance(error, ZooError):
        return str(error)
    text = " ".join(str(getattr(error, "strerror", None) or error).split())
    return f"not a video that can be read, or a damaged one: {text[:120]}."


def pyav() -> Any:
    """Return the module `av`. Raises `ZooError` where it is not installed."""
    try:
        return importlib.import_module("av")
    except ImportError:
        raise ZooError("Videos are read by PyAV: pip install 'recurrent-zoo[video]'") from None
