"""Tests of reading image files, in Python and inside a graph."""

import os
import struct
import zlib

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from zoo.common.core.errors import ZooError
from zoo.vision_language.captioning.images import SIZE, read_image
from zoo.vision_language.captioning.samples import files, pictures
from zoo.vision_language.captioning.signatures import decode_images


@pytest.fixture
def picture() -> Image.Image:
    """A picture with quarters in red, green, blue and grey."""
    quarters = np.zeros((SIZE, SIZE, 3), np.uint8)
    half = SIZE // 2
    quarters[:half, :half] = (200, 30, 30)
    quarters[:half, half:] = (30, 160, 30)
    quarters[half:, :half] = (30, 30, 220)
    quarters[half:, half:] = (120, 120, 120)
    return Image.fromarray(quarters)


def quarters(pixels: np.ndarray) -> np.ndarray:
    """Return the colour of the centre of each quarter, int [2, 2, 3]."""
    assert pixels.shape == (SIZE, SIZE, 3)
    assert pixels.dtype == np.uint8
    centres = [SIZE // 4, 3 * SIZE // 4]
    return pixels[np.ix_(centres, centres)].astype(int)


@pytest.mark.parametrize("suffix", ["png", "webp", "bmp", "tiff"])
def test_pixels_of_lossless_files(picture, tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    picture.save(path, **({"lossless": True} if suffix == "webp" else {}))
    np.testing.assert_array_equal(read_image(path), np.asarray(picture))


@pytest.mark.parametrize(("mode", "suffix"), [("RGB", "jpg"), ("CMYK", "jpg"), ("P", "gif")])
def test_colours_of_other_modes(picture, tmp_path, mode, suffix):
    path = tmp_path / f"picture.{suffix}"
    (picture.quantize() if mode == "P" else picture.convert(mode)).save(path)
    difference = quarters(read_image(path)) - quarters(np.asarray(picture))
    assert np.abs(difference).max() <= 8


def test_grey_with_8_and_16_bits(picture, tmp_path):
    grey = np.asarray(picture.convert("L"))
    Image.fromarray(grey).save(tmp_path / "8.png")
    Image.fromarray(grey.astype(np.uint16) << 8).save(tmp_path / "16.png")
    expected = np.repeat(grey[:, :, None], 3, axis=2)
    np.testing.assert_array_equal(read_image(tmp_path / "8.png"), expected)
    np.testing.assert_array_equal(read_image(tmp_path / "16.png"), expected)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparent_pixels_are_white(tmp_path, mode):
    image = Image.new("RGBA", (SIZE, SIZE), (0, 0, 0, 0))
    image.convert(mode).save(tmp_path / "clear.png", **({"transparency": 0} if mode == "P" else {}))
    assert (read_image(tmp_path / "clear.png") == 255).all()


def test_orientation_is_applied(picture, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # rotate by 90 degrees clockwise
    picture.save(tmp_path / "turned.jpg", exif=exif)
    expected = quarters(np.asarray(picture.rotate(-90)))
    assert np.abs(quarters(read_image(tmp_path / "turned.jpg")) - expected).max() <= 8


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("orientation", range(1, 10))
def test_orientation_is_applied_in_a_graph(picture, tmp_path, orientation, order):
    """The eight orientations and an invalid one, in both byte orders."""
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F] = "a maker whose name is stored after the table"
    exif[0x0112] = orientation
    path = tmp_path / "turned.jpg"
    wide = picture.resize((300, 180))
    wide.save(path, exif=exif, quality=95, comment="before the segment of EXIF")
    served = decode_images(tf.constant([path.read_bytes()]))[0].numpy()
    assert np.abs(served - read_image(path)).max() <= 2


@pytest.mark.parametrize(
    "damage", [b"", b"Exif\x00\x00", b"Exif\x00\x00II*\x00\xff\xff\xff\x7f", bytes(9)]
)
def test_damaged_exif_has_no_effect(picture, tmp_path, damage):
    path = tmp_path / "plain.jpg"
    picture.save(path)
    content = path.read_bytes()
    size = (len(damage) + 2).to_bytes(2, "big")
    damaged = content[:2] + b"\xff\xe1" + size + damage + content[2:]
    np.testing.assert_array_equal(*decode_images(tf.constant([damaged, content])))


@pytest.mark.parametrize("suffix", ["gif", "webp", "bmp"])
def test_graph_rejects_other_formats(picture, tmp_path, suffix):
    path = tmp_path / f"picture.{suffix}"
    picture.save(path)
    with pytest.raises(tf.errors.InvalidArgumentError, match="must be a JPEG or PNG file"):
        decode_images(tf.constant([path.read_bytes()]))


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_first_frame_of_an_animation(picture, tmp_path, suffix):
    path = tmp_path / f"moving.{suffix}"
    picture.save(path, save_all=True, append_images=[picture.rotate(180)], lossless=True)
    assert np.abs(quarters(read_image(path)) - quarters(np.asarray(picture))).max() <= 8


@pytest.mark.parametrize("size", [(1, 1), (7, 500), (1000, 3)])
def test_any_shape_becomes_the_square(tmp_path, size):
    Image.new("RGB", size, (10, 20, 30)).save(tmp_path / "shape.png")
    assert (read_image(tmp_path / "shape.png") == (10, 20, 30)).all()


def png_of(width: int, height: int) -> bytes:
    """Return a PNG of 70 bytes whose header states this size."""

    def chunk(name: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(name + content))
        return struct.pack(">I", len(content)) + name + content + checksum

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return start + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("side", [7_100, 10_000, 13_000, 60_000])
def test_too_large_images_are_rejected_by_their_header(tmp_path, side, recwarn):
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of(side, side))
    with pytest.raises(ZooError, match=r"bomb\.png: too large.*50,000,000"):
        read_image(path)
    assert not recwarn


@pytest.mark.parametrize("suffix", ["jpg", "png", "webp", "gif", "tiff"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_truncated_files_are_rejected(tmp_path, suffix, share):
    path = tmp_path / f"cut.{suffix}"
    Image.fromarray(pictures(64)[1]).save(path)
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    with pytest.raises(ZooError, match=rf"cut\.{suffix}"):
        read_image(path)


def test_errors_name_the_file(tmp_path):
    (tmp_path / "text.jpg").write_text("a letter")
    (tmp_path / "empty.png").write_bytes(b"")
    Image.new("F", (4, 4)).save(tmp_path / "float.tiff")
    for name, reason in {
        "text.jpg": "not a readable image",
        "empty.png": "not a readable image",
        "none.png": "is missing",
        ".": "Is a directory",
        "float.tiff": "8 or 16 bits",
    }.items():
        with pytest.raises(ZooError, match=reason) as error:
            read_image(tmp_path / name)
        assert str(tmp_path) in str(error.value)
        assert "\n" not in str(error.value)


def test_graph_gives_the_pixels_of_read_image(tmp_path):
    """The pixels differ by at most 2, because Pillow rounds twice."""
    contents = files()
    rgba = Image.fromarray(pictures(250)[0]).convert("RGBA")
    rgba.putalpha(Image.linear_gradient("L").resize(rgba.size))
    for kind, options in {"jpg": {"quality": 60}, "png": {}}.items():
        path = tmp_path / f"large.{kind}"
        Image.fromarray(pictures(413)[2]).save(path, **options)
        contents.append(path.read_bytes())
    rgba.save(tmp_path / "clear.png")
    contents.append((tmp_path / "clear.png").read_bytes())
    received = decode_images(tf.constant(contents)).numpy()
    for content, pixels in zip(contents, received, strict=True):
        (tmp_path / "file").write_bytes(content)
        difference = np.abs(read_image(tmp_path / "file") - pixels)
        assert difference.max() <= 2
        assert difference.mean() <= 0.2


def test_fifo_is_not_read(tmp_path):
    """Reading it would block."""
    os.mkfifo(tmp_path / "fifo.png")
    with pytest.raises(ZooError, match=r"not a regular file"):
        read_image(tmp_path / "fifo.png")


def test_libtiff_messages_are_suppressed(picture, tmp_path, capfd):
    picture.save(tmp_path / "a.tif", compression="tiff_lzw")
    content = bytearray((tmp_path / "a.tif").read_bytes())
    content[100:600] = bytes(255 - byte for byte in content[100:600])
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(ZooError, match="truncated or damaged"):
        read_image(tmp_path / "a.tif")
    assert capfd.readouterr() == ("", "")


def test_every_changed_bit_of_a_png_is_detected(picture, tmp_path):
    """Each chunk has a checksum."""
    path = tmp_path / "a.png"
    picture.save(path)
    whole = path.read_bytes()
    end = len(whole) - 12  # the last chunk is empty
    for position in np.linspace(0, end - 1, 60).astype(int):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << (position % 8)
        path.write_bytes(damaged)
        with pytest.raises(ZooError):
            read_image(path)
