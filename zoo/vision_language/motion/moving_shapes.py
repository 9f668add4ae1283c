"""Clips of moving shapes, drawn by code: only the motion tells their class, a single frame does not.

A shape has one of nine motions. Its form, colour, size, place and speed, the length of the clip, its
frame rate and the noise behind the shape are drawn at random. What moves on leaves the picture on one
side and comes in on the other, and what grows begins anew when it is large: no place and no size
belongs to one motion alone.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from zoo.vision_language.motion.video_files import pyav

MOTIONS = (
    "left", "right", "up", "down", "clockwise", "counter-clockwise", "grow", "shrink", "bounce",
)  # fmt: skip
DIRECTIONS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
# Corners of the forms, around 0 in a circle of radius 1: (corners, share of the inner radius).
FORMS = {
    "triangle": (3, 1.0),
    "square": (4, 1.0),
    "star": (5, 0.45),
    "cross": (4, 0.4),
    "disc": (24, 1),
}
SIDE = 64
# Drawn larger and made small, for smooth edges.
OVERSAMPLING = 2
FRAME_RATES = (12, 15, 24)
# The radius of a shape as a share of the picture's side.
SMALLEST, LARGEST = 0.07, 0.22


def draw_clip(motion: str, generator: np.random.Generator) -> tuple[np.ndarray, int]:
    """Return a clip as uint8 [frames, 64, 64, 3], RGB, and its frames in a second.

    Args:
        motion: one of `MOTIONS`. generator: draws all else.
    """
    rate = int(generator.choice(FRAME_RATES))
    times = np.arange(round(rate * generator.uniform(1.4, 2.4))) / rate
    places, sizes = _path(motion, times, generator)
    background, colour = _colours(generator)
    corners = _form(generator)
    frames = np.stack(
        [
            _frame(background, colour, corners * size + place)
            for place, size in zip(places, sizes, strict=True)
        ]
    )
    noise = generator.normal(0, generator.uniform(2, 8), frames.shape)
    return np.clip(frames + noise, 0, 255).astype(np.uint8), rate


def write_clip(path: Path, frames: np.ndarray, rate: int) -> None:
    """Write frames uint8 [time, side, side, 3] as an MP4 file, H.264. Raises `ZooError` without PyAV."""
    av = pyav()
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(rate))
        stream.height, stream.width = frames.shape[1:3]
        stream.pix_fmt, stream.options = "yuv420p", {"crf": "26", "threads": "1"}
        for frame in frames:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        container.mux(stream.encode())


def _path(
    motion: str, times: np.ndarray, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """The middle of the shape [frames, 2] and its radius [frames] at times in seconds, all as shares of
    the picture's side."""
    start = generator.uniform(0, 1, 2)
    places = np.tile(start, (len(times), 1))
    # Where between the smallest and the largest radius, on a logarithmic scale.
    scale = np.full(len(times), generator.uniform(0, 1))
    if motion in DIRECTIONS:
        places = (start + np.outer(generator.uniform(0.3, 0.9) * times, DIRECTIONS[motion])) % 1
    elif motion in ("clockwise", "counter-clockwise"):
        turn = 1 if motion == "clockwise" else -1  # y grows downwards
        angle = generator.uniform(0, 2 * np.pi) + turn * generator.uniform(2, 6) * times
        around = np.column_stack([np.cos(angle), np.sin(angle)])
        places = (start + generator.uniform(0.12, 0.3) * around) % 1
    elif motion in ("grow", "shrink"):
        speed = generator.uniform(0.3, 0.9) * (1 if motion == "grow" else -1)
        scale = (scale + speed * times) % 1
    else:
        # There and back between two walls, as a triangle wave, along a line of any direction.
        angle, width = generator.uniform(0, np.pi), generator.uniform(0.25, 0.5)
        wave = (generator.uniform(0, 2) + generator.uniform(1.2, 3) * times) % 2
        line = (1 - np.abs(1 - wave)) * width
        places = (start + np.outer(line, (np.cos(angle), np.sin(angle)))) % 1
    return places, SMALLEST * (LARGEST / SMALLEST) ** scale


def _colours(generator: np.random.Generator) -> tuple[Image.Image, tuple[int, ...]]:
    """A background of smooth noise, and a colour that stands out from it."""
    side = SIDE * OVERSAMPLING
    middle = generator.uniform(40, 215, 3)
    noise = middle + generator.normal(0, generator.uniform(5, 25), (8, 8, 3))
    small = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))
    colour = (middle + generator.choice((-1, 1), 3) * generator.uniform(60, 128, 3)) % 256
    return small.resize((side, side), Image.Resampling.BICUBIC), tuple(map(int, colour))


def _form(generator: np.random.Generator) -> np.ndarray:
    """The corners of one of the forms, turned by a random angle: float [corners, 2]."""
    points, inner = FORMS[str(generator.choice(list(FORMS)))]
    angles = generator.uniform(0, 2 * np.pi) + np.arange(2 * points) * np.pi / points
    # Between the outer corners: on the line for an inner radius of 1, else nearer to the middle.
    radius = np.where(np.arange(2 * points) % 2, inner * np.cos(np.pi / points), 1)
    return np.column_stack([radius * np.cos(angles), radius * np.sin(angles)])


def _frame(background: Image.Image, colour: tuple[int, ...], corners: np.ndarray) -> np.ndarray:
    """The background with a shape over it, whose parts beyond a border come in on the other side."""
    picture = background.copy()
    pen = ImageDraw.Draw(picture)
    for shift in np.ndindex(3, 3):
        shifted = (corners + np.array(shift) - 1) * SIDE * OVERSAMPLING
        pen.polygon([tuple(corner) for corner in shifted], fill=colour)
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
