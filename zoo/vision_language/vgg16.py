"""VGG16's convolutional base, trained on ImageNet: the encoder every captioner shares.

Simonyan & Zisserman, "Very deep convolutional networks for large-scale image recognition" (2015),
configuration D. Its weights are shipped once, beside the presets, and never trained here.
"""

from __future__ import annotations

import functools
import hashlib
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.core.errors import ZooError
from zoo.common.presets.store import ROOT
from zoo.vision_language.images import SIZE

if TYPE_CHECKING:
    import keras

NAME = "vgg16"
WEIGHTS_FILE = ROOT / "vision_language" / "vgg16" / "vgg16_imagenet_notop_float16.npz"
# (convolutions, filters) of each block; a block ends in a pooling that halves height and width.
BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
# The mean pixel of ImageNet, R, G, B.
MEAN = (123.68, 116.779, 103.939)
# Height, width and channels of the features.
SHAPE = (SIZE // 2 ** len(BLOCKS), SIZE // 2 ** len(BLOCKS), BLOCKS[-1][1])


def build_vgg16() -> keras.Model:
    """Return the functional model with its trained weights, frozen.

    Input: `image` float32 [batch, 192, 192, 3], RGB from 0 to 255.
    Output: `features` float32 [batch, 6, 6, 512], what block5_pool gives.

    Layers are called as in `keras.applications.VGG16`.

    Raises:
        ZooError: the weights are missing or corrupt.
    """
    import keras
    from keras import layers

    weights = read_weights(WEIGHTS_FILE)
    image = keras.Input((SIZE, SIZE, 3), name="image", dtype="float32")
    x = layers.Rescaling(1.0, offset=[-mean for mean in MEAN], name="minus_mean")(image)
    for number, (convolutions, filters) in enumerate(BLOCKS, start=1):
        for i in range(1, convolutions + 1):
            layer = layers.Conv2D(
                filters,
                3,
                padding="same",
                activation="relu",
                kernel_initializer="zeros",
                name=f"block{number}_conv{i}",
            )
            x = layer(x)
            layer.set_weights(weights[layer.name])
        x = layers.MaxPooling2D(2, name=f"block{number}_pool")(x)
    model = keras.Model({"image": image}, {"features": x}, name=NAME)
    model.trainable = False
    return model


def read_weights(path: Path) -> dict[str, list[np.ndarray]]:
    """Return kernel [3, 3, in, out] and bias [out], float32, of each convolution by its layer's name.

    The file's first kernel takes blue, green, red, as the network was trained; here its channels are
    reversed, so that the model takes red, green, blue.

    Raises:
        ZooError: the file is missing or corrupt.
    """
    if not path.exists():
        raise ZooError(f"{path} is missing: it holds VGG16's weights and comes with the zoo.")
    weights, before = {}, 3
    try:
        with np.load(path, allow_pickle=False) as file:
            for number, (convolutions, filters) in enumerate(BLOCKS, start=1):
                for i in range(1, convolutions + 1):
                    name = f"block{number}_conv{i}"
                    pair = [np.float32(file[f"{name}/{part}"]) for part in ("kernel", "bias")]
                    if [w.shape for w in pair] != [(3, 3, before, filters), (filters,)]:
                        raise ValueError(f"{name} has another shape than VGG16's")
                    weights[name], before = pair, filters
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ZooError(f"{path} is corrupt: {error}.") from None
    first = weights["block1_conv1"]
    first[0] = first[0][:, :, ::-1]
    return weights


@functools.cache
def checksum() -> str:
    """Return SHA-256, in hex, of the file of weights: whose features a cache holds."""
    if not WEIGHTS_FILE.exists():
        read_weights(WEIGHTS_FILE)
    return hashlib.sha256(WEIGHTS_FILE.read_bytes()).hexdigest()
