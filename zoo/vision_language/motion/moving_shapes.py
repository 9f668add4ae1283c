"""Draw clips of moving shapes, whose class depends on the motion and not on a single frame.

A shape has one of nine motions. Its form, colour, size, position and speed, the length of the clip, its
frame rate and the noise in the background are random. A shape that leaves the picture on one side enters
it on the other, and a shape that grows restarts small when it is large, so that each position and size
occurs with each motion.
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
# (number of corners, inner radius as a fraction of the outer radius) of each form.
FORMS = {
    "triangle": (3, 1.0),
    "square": (4, 1.0),
    "star": (5, 0.45),
    "cross": (4, 0.4),
    "disc": (24, 1),
}
SIDE = 64
# Factor of the size in which frames are drawn before they are scaled down, for smooth edges.
OVERSAMPLING = 2
FRAME_RATES = (12, 15, 24)
# Minimum and maximum radius of a shape, as a fraction of the side of the picture.
SMALLEST, LARGEST = 0.07, 0.22


def draw_clip(motion: str, generator: np.random.Generator) -> tuple[np.ndarray, int]:
    """Return a clip as uint8 [frames, 64, 64, 3], RGB, and its number of frames per second.

    Args:
        motion: one of `MOTIONS`.
        generator: draws all other properties.
    """
    rate = int(generator.choice(FRAME_RATES))
    times = np.arange(round(rate * generator.uniform(1.4, 2.4))) / rate
    centres, radii = _path(motion, times, generator)
    background, colour = _colours(generator)
    corners = _form(generator)
    frames = np.stack(
        [
            _frame(background, colour, corners * radius + centre)
            for centre, radius in zip(centres, radii, strict=True)
        ]
    )
    noise = generator.normal(0, generator.uniform(2, 8), frames.shape)
    return np.clip(frames + noise, 0, 255).astype(np.uint8), rate


def write_clip(path: Path, frames: np.ndarray, rate: int) -> None:
    """Write an MP4 file, H.264.

    Args:
        path: the file.
        frames: uint8 [time, side, side, 3], RGB.
        rate: frames per second.

    Raises:
        ZooError: PyAV is not installed.
    """
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
    """Return the centre of the shape [frames, 2] and its radius [frames], where the side is 1.

    Args:
        motion: one of `MOTIONS`.
        times: float [frames], in seconds.
        generator: draws start, speed and direction.
    """
    start = generator.uniform(0, 1, 2)
    centres = np.tile(start, (len(times), 1))
    # Position between the minimum and the maximum radius, on a logarithmic scale.
    scale = np.full(len(times), generator.uniform(0, 1))
    if motion in DIRECTIONS:
        centres = (start + np.outer(generator.uniform(0.3, 0.9) * times, DIRECTIONS[motion])) % 1
    elif motion in ("clockwise", "counter-clockwise"):
        turn = 1 if motion == "clockwise" else -1  # y grows downwards
        angle = generator.uniform(0, 2 * np.pi) + turn * generator.uniform(2, 6) * times
        around = np.column_stack([np.cos(angle), np.sin(angle)])
        centres = (start + generator.uniform(0.12, 0.3) * around) % 1
    elif motion in ("grow", "shrink"):
        speed = generator.uniform(0.3, 0.9) * (1 if motion == "grow" else -1)
        scale = (scale + speed * times) % 1
    else:
        # Back and forth as a triangle wave, along a line of random direction.
        direction, width = generator.uniform(0, np.pi), generator.uniform(0.25, 0.5)
        wave = (generator.uniform(0, 2) + generator.uniform(1.2, 3) * times) % 2
        line = (1 - np.abs(1 - wave)) * width
        centres = (start + np.outer(line, (np.cos(direction), np.sin(direction)))) % 1
    return centres, SMALLEST * (LARGEST / SMALLEST) ** scale


def _colours(generator: np.random.Generator) -> tuple[Image.Image, tuple[int, ...]]:
    """Return a background of smooth noise, and a colour with contrast to it."""
    side = SIDE * OVERSAMPLING
    middle = generator.uniform(40, 215, 3)
    noise = middle + generator.normal(0, generator.uniform(5, 25), (8, 8, 3))
    small = Image.fromarray(np.clip(noise, 0, 255).astype(np.uint8))
    colour = (middle + generator.choice((-1, 1), 3) * generator.uniform(60, 128, 3)) % 256
    return small.resize((side, side), Image.Resampling.BICUBIC), tuple(map(int, colour))


def _form(generator: np.random.Generator) -> np.ndarray:
    """Return the corners of a random form at a random angle, float [corners, 2]."""
    points, inner = FORMS[str(generator.choice(list(FORMS)))]
    angles = generator.uniform(0, 2 * np.pi) + np.arange(2 * points) * np.pi / points
    # The inner corners are on the edges of a regular polygon if the inner radius is 1, else inside it.
    radius = np.where(np.arange(2 * points) % 2, inner * np.cos(np.pi / points), 1)
    return np.column_stack([radius * np.cos(angles), radius * np.sin(angles)])


def _frame(background: Image.Image, colour: tuple[int, ...], corners: np.ndarray) -> np.ndarray:
    """Return the background with a shape, which enters on the other side where it leaves the picture."""
    picture = background.copy()
    pen = ImageDraw.Draw(picture)
    for shift in np.ndindex(3, 3):
        shifted = (corners + np.array(shift) - 1) * SIDE * OVERSAMPLING
        pen.polygon([tuple(corner) for corner in shifted], fill=colour)
    return np.asarray(picture.resize((SIDE, SIDE), Image.Resampling.BOX), np.float32)
