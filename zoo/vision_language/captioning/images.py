"""Image files as pixels: any kind, mode and size in, RGB of one size out.

Pillow decodes. What a decoder would accept silently, or with only a warning (a picture that unpacks to
gigabytes), is refused here, so that nothing later has to check an image.
"""

from __future__ import annotations

import struct
import warnings
from contextlib import nullcontext
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from zoo.common.core.errors import ZooError
from zoo.common.utils.files import check_file
from zoo.common.utils.quiet import descriptor_2_elsewhere

SIZE = 192
MAX_PIXELS = 50_000_000
# Of a file: such pixels of 16 bits in four channels, not compressed, and some tags.
MAX_BYTES = 2**29

# By content, not by extension. Pillow's other decoders are for formats nobody photographs in, and
# one of them starts another program.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_READABLE = "an image that can be read (JPEG, PNG, WebP, GIF, BMP, TIFF)"
_WHITE = (255, 255, 255, 255)


def read_image(path: str | Path, size: int = SIZE) -> np.ndarray:
    """Decode one image.

    Args:
        path: a JPEG, PNG, WebP, GIF, BMP or TIFF file of any size up to 50 million pixels: colour,
            grey, CMYK, with a palette, of 8 or 16 bits a channel. Its EXIF orientation is applied; what
            is transparent is laid over white; of an animation the first frame is taken.
        size: side of the square it is scaled to, whole, by Pillow's bilinear filter, whose support
            grows with the reduction so that no detail is skipped (antialiasing).

    Returns:
        uint8 [size, size, 3], RGB.

    Raises:
        ZooError: the file, which is named, is missing, no plain file, no image, truncated, of 32 bits a
            channel or of more than 50 million pixels (by its header: nothing is unpacked).
    """
    check_file(Path(path), MAX_BYTES)
    try:
        with warnings.catch_warnings():
            # Pillow warns of large images and of damaged tags: here the one is refused, the other read.
            warnings.simplefilter("ignore", UserWarning)
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            pixels = _decode(path)
    except ZooError:
        raise
    except UnidentifiedImageError:
        raise ZooError(f"{path}: not {_READABLE}.") from None
    except Image.DecompressionBombError:
        raise ZooError(_too_large(path, "far more")) from None
    except PermissionError as error:
        raise ZooError(f"{path}: cannot be read: {error.strerror}.") from None
    # Whatever damaged bytes make Pillow's decoders raise, an IndexError among it.
    except (OSError, ValueError, SyntaxError, LookupError, TypeError, struct.error) as error:
        reason = " ".join(str(error).split())
        raise ZooError(f"{path}: truncated or damaged: {reason}.") from None
    if pixels.size != (size, size):
        pixels = pixels.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(pixels)


def _decode(path: str | Path) -> Image.Image:
    """The image in RGB."""
    with Image.open(path, formats=FORMATS) as image:
        if image.format == "PNG":
            image.verify()  # the checksums of its parts, which decoding does not look at
    with Image.open(path, formats=FORMATS) as image:
        width, height = image.size
        if width * height > MAX_PIXELS:
            raise ZooError(_too_large(path, f"{width} x {height}"))
        # libtiff writes to file descriptor 2, unasked.
        with descriptor_2_elsewhere() if image.format == "TIFF" else nullcontext():
            image.load()
        return _rgb(ImageOps.exif_transpose(image), path)


def _too_large(path: str | Path, received: str) -> str:
    return f"{path}: too large: an image must have at most {MAX_PIXELS:,} pixels. Received: {received}."


def _rgb(image: Image.Image, path: str | Path) -> Image.Image:
    if image.mode.startswith("I;16"):
        # Pillow would clip these to 255, not scale them.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise ZooError(f"{path}: a channel must have 8 or 16 bits. Received: 32.")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image).convert("RGB")
    return image.convert("RGB")
