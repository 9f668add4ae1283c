"""Decode image files inside a TensorFlow graph, for the SavedModel of a captioner."""

from __future__ import annotations

import tensorflow as tf

from zoo.vision_language.captioning.exif_in_graph import apply_orientation, exif_orientation
from zoo.vision_language.captioning.images import SIZE

PNG = b"\x89PNG\r\n\x1a\n"


def decode_images(image_bytes: tf.Tensor) -> tf.Tensor:
    """Decode JPEG or PNG files. Other formats are not supported.

    The pixels equal those of `zoo.vision_language.captioning.images.read_image`, except for rounding.
    The EXIF orientation of JPEG files is applied.

    Args:
        image_bytes: string [batch].

    Returns:
        float32 [batch, 192, 192, 3], RGB from 0 to 255.
    """
    return tf.map_fn(
        _decode, image_bytes, fn_output_signature=tf.TensorSpec([SIZE, SIZE, 3], tf.float32)
    )


def _decode(contents: tf.Tensor) -> tf.Tensor:
    def jpeg():
        # The exact transform, as in Pillow. The default of TensorFlow is faster.
        pixels = tf.io.decode_jpeg(contents, channels=3, dct_method="INTEGER_ACCURATE")
        return tf.cast(apply_orientation(pixels, exif_orientation(contents)), tf.float32)

    def png():
        is_png = tf.strings.substr(contents, 0, len(PNG)) == PNG
        check = tf.debugging.Assert(is_png, ["An image must be a JPEG or PNG file."])
        with tf.control_dependencies([check]):
            checked = tf.identity(contents)
        rgba = tf.cast(tf.io.decode_png(checked, channels=4), tf.float32)
        opacity = rgba[:, :, 3:] / 255.0
        return tf.round(rgba[:, :, :3] * opacity + 255.0 * (1.0 - opacity))

    pixels = tf.cond(tf.io.is_jpeg(contents), jpeg, png)
    pixels = tf.image.resize(pixels, (SIZE, SIZE), method="bilinear", antialias=True)
    return tf.round(tf.clip_by_value(pixels, 0.0, 255.0))
