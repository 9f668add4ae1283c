"""The captioner inside a TensorFlow graph: bytes or features in, sentences out."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import tensorflow as tf
from keras import ops

from zoo.vision_language.captioner import Captioner
from zoo.vision_language.images import SIZE
from zoo.vision_language.telling import tell
from zoo.vision_language.vgg16 import SHAPE

if TYPE_CHECKING:
    import keras

    from zoo.vision_language.task import Captioning


def pixels_of(image_bytes: tf.Tensor) -> tf.Tensor:
    """Decodes JPEG or PNG files, string [batch], to float32 [batch, 192, 192, 3], RGB from 0 to 255.

    The pixels of `zoo.vision_language.images.read_image` but for rounding, with two differences: an
    EXIF orientation is not applied, and no other format is read.
    """
    return tf.map_fn(
        _pixels, image_bytes, fn_output_signature=tf.TensorSpec([SIZE, SIZE, 3], tf.float32)
    )


def _pixels(contents: tf.Tensor) -> tf.Tensor:
    def jpeg():
        # The exact transform, as Pillow's: TensorFlow's default is a faster one.
        return tf.cast(
            tf.io.decode_jpeg(contents, channels=3, dct_method="INTEGER_ACCURATE"), tf.float32
        )

    def png():
        rgba = tf.cast(tf.io.decode_png(contents, channels=4), tf.float32)
        opacity = rgba[:, :, 3:] / 255.0
        return tf.round(rgba[:, :, :3] * opacity + 255.0 * (1.0 - opacity))

    pixels = tf.cond(tf.io.is_jpeg(contents), jpeg, png)
    pixels = tf.image.resize(pixels, (SIZE, SIZE), method="bilinear", antialias=True)
    return tf.round(tf.clip_by_value(pixels, 0.0, 255.0))


@tf.autograph.experimental.do_not_convert  # its loops are those of keras.ops already
def tell_texts(task: Captioning, step: keras.Model, states: dict[str, Any]) -> dict[str, tf.Tensor]:
    """`caption` string [rows] and `log_probability` float32 [rows], in nats, of an encoder's states."""
    told = tell(task, lambda **inputs: step(inputs, training=False), states, ops)
    inside = tf.range(task.max_length + 1) < told.lengths[:, None]
    spoken = tf.where(inside, tf.gather(tf.constant(task.vocabulary.tokens), told.tokens), "")
    text = tf.strings.strip(tf.strings.reduce_join(spoken, axis=1, separator=" "))
    return {"caption": text, "log_probability": told.log_probability}


@functools.lru_cache(maxsize=1)  # a run measures the same model after every epoch
def teller(
    model: keras.Model, config: Captioner, task: Captioning
) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    """A graph function of `features` float32 [batch, 6, 6, 512] to what `tell_texts` gives."""
    encoder, step = config.encoder_of_features(model), config.graphs(model)["step"]

    @tf.function(input_signature=[tf.TensorSpec([None, *SHAPE], tf.float32, "features")])
    def tell_features(features):
        return tell_texts(task, step, encoder({"features": features}, training=False))

    return tell_features
