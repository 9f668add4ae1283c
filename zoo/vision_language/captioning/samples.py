"""Draw pictures that resemble aerial photographs. The images of RSICD may not be distributed."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw


def pictures(size: int) -> list[np.ndarray]:
    """Return three pictures, uint8 [size, size, 3]: fields, a river, parked cars."""
    return [np.asarray(draw(size)) for draw in (_fields, _river, _car_park)]


def files() -> list[bytes]:
    """Return the pictures as files: a JPEG of the model's size, a larger JPEG, and a PNG."""
    contents = []
    for size, format_, picture in zip(
        (192, 300, 250), ("JPEG", "JPEG", "PNG"), range(3), strict=True
    ):
        file = io.BytesIO()
        Image.fromarray(pictures(size)[picture]).save(file, format_)
        contents.append(file.getvalue())
    return contents


def _ground(size: int, colour: tuple[int, int, int], roughness: float) -> Image.Image:
    noise = np.random.default_rng(0).normal(0, roughness, (size, size, 1))
    return Image.fromarray(np.clip(np.array(colour) + noise, 0, 255).astype(np.uint8))


def _fields(size: int) -> Image.Image:
    image = _ground(size, (110, 140, 70), 9)
    draw, part = ImageDraw.Draw(image), size / 4
    for row in range(4):
        for column in range(4):
            shade = 90 + 17 * ((3 * row + 5 * column) % 6)
            corner = (column * part + 2, row * part + 2)
            opposite = ((column + 1) * part - 3, (row + 1) * part - 3)
            draw.rectangle((*corner, *opposite), fill=(shade, shade + 25, 60))
    draw.line((0, size * 0.6, size, size * 0.35), fill=(170, 170, 165), width=size // 24)
    return image


def _river(size: int) -> Image.Image:
    image = _ground(size, (45, 80, 45), 16)
    y = np.arange(size + 1)
    x = size * (0.5 + 0.2 * np.sin(y / size * 6))
    line = list(zip(x.tolist(), y.tolist(), strict=True))
    ImageDraw.Draw(image).line(line, fill=(70, 95, 110), width=size // 5)
    return image


def _car_park(size: int) -> Image.Image:
    image = _ground(size, (120, 120, 122), 5)
    draw, step = ImageDraw.Draw(image), size / 16
    colours = ((220, 220, 220), (160, 30, 30), (40, 50, 120), (30, 30, 32))
    for row in range(5):
        for column in range(14):
            x, y = (column + 1) * step, (3 * row + 1) * step
            car = (x, y, x + step * 0.6, y + step * 1.4)
            draw.rectangle(car, fill=colours[(row * 5 + column * 3) % 4])
    return image
