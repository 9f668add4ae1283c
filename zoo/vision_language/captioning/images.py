"""Read images of any kind, mode and size as RGB pixels of one size.

Pillow decodes the files. Images that a decoder would accept silently or with only a warning, such as a
file that decompresses to gigabytes, are rejected here, so that no later code has to check an image.
"""

from __future__ import annotations

import struct
import warnings
from contextlib import nullcontext
from pathlib import Path
from typing import TypeAlias

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from zoo.common.core.errors import ZooError
from zoo.common.utils.files import check_file
from zoo.common.utils.quiet import silent_stderr

SIZE = 192
MAX_PIXELS = 50_000_000
# Size of a file with that many pixels of 16 bits in four channels, uncompressed, and some tags.
MAX_BYTES = 2**29

# The format is detected from the content, not the extension. Pillow's other decoders are for formats
# that cameras do not write, and one of them starts another program.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
_READABLE = "a readable image (JPEG, PNG, WebP, GIF, BMP, TIFF)"
_WHITE = (255, 255, 255, 255)

ImageSource: TypeAlias = str | Path | Image.Image | np.ndarray


def read_image(source: ImageSource, size: int = SIZE) -> np.ndarray:
    """Return an image as pixels of one size.

    Args:
        source: path of a JPEG, PNG, WebP, GIF, BMP or TIFF file, a PIL image, or an array uint8 [height,
            width, 3], RGB. Its size is at most 50 million pixels. Files and PIL images may be colour,
            grey, CMYK or have a palette, with 8 or 16 bits per channel. The EXIF orientation is
            applied, transparent pixels are placed on white, and the first frame of an animation is used.
        size: side of the square to which the whole image is scaled, by Pillow's bilinear filter, whose
            support grows with the reduction (antialiasing).

    Returns:
        uint8 [size, size, 3], RGB.

    Raises:
        ZooError: the file is missing, not a regular file, not an image or truncated; a channel has 32
            bits; the image has more than 50 million pixels, according to its header; or the array has
            another shape or dtype. The message names the file.
    """
    if isinstance(source, np.ndarray):
        pixels = Image.fromarray(_checked_array(source))
    elif isinstance(source, Image.Image):
        pixels = _guarded(source, f"<{type(source).__name__}>")
    else:
        check_file(Path(source), MAX_BYTES)
        pixels = _guarded(source, str(source))
    if pixels.size != (size, size):
        pixels = pixels.resize((size, size), Image.Resampling.BILINEAR)
    return np.asarray(pixels)


def _checked_array(pixels: np.ndarray) -> np.ndarray:
    if pixels.dtype != np.uint8 or pixels.ndim != 3 or pixels.shape[2] != 3 or not pixels.size:
        raise ZooError(
            "An array of an image must be uint8 [height, width, 3]. "
            f"Received: {pixels.dtype} {list(pixels.shape)}."
        )
    height, width, _ = pixels.shape
    _check_size(width, height, "<ndarray>")
    return pixels


def _guarded(source: str | Path | Image.Image, name: str) -> Image.Image:
    """Return an image in RGB; every error of a decoder becomes a `ZooError`."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of large images, which are rejected here, and of damaged tags.
            warnings.simplefilter("ignore", UserWarning)
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            if isinstance(source, Image.Image):
                return _to_rgb(source, name)
            return _decode(source, name)
    except ZooError:
        raise
    except UnidentifiedImageError:
        raise ZooError(f"{name}: not {_READABLE}.") from None
    except Image.DecompressionBombError:
        raise ZooError(_too_large(name, "far more")) from None
    except PermissionError as error:
        raise ZooError(f"{name}: cannot be read: {error.strerror}.") from None
    # Pillow's decoders raise many kinds of errors for damaged bytes, including IndexError.
    except (OSError, ValueError, SyntaxError, LookupError, TypeError, struct.error) as error:
        reason = " ".join(str(error).split())
        raise ZooError(f"{name}: truncated or damaged: {reason}.") from None


def _decode(path: str | Path, name: str) -> Image.Image:
    with Image.open(path, formats=FORMATS) as image:
        if image.format == "PNG":
            image.verify()  # checks the checksums, which decoding ignores
    with Image.open(path, formats=FORMATS) as image:
        return _to_rgb(image, name)


def _to_rgb(image: Image.Image, name: str) -> Image.Image:
    _check_size(*image.size, name)
    # libtiff writes messages to file descriptor 2.
    with silent_stderr() if image.format == "TIFF" else nullcontext():
        image.load()
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        # Pillow would clip these values to 255 instead of scaling them.
        return Image.fromarray((np.asarray(image) >> 8).astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise ZooError(f"{name}: a channel must have 8 or 16 bits. Received: 32.")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", image.size, _WHITE), image).convert("RGB")
    return image.convert("RGB")


def _check_size(width: int, height: int, name: str) -> None:
    if width * height > MAX_PIXELS:
        raise ZooError(_too_large(name, f"{width} x {height}"))


def _too_large(name: str, received: str) -> str:
    return f"{name}: too large: an image must have at most {MAX_PIXELS:,} pixels. Received: {received}."
