"""The convolutional base of VGG16, trained on ImageNet: the encoder of all captioners.

Simonyan & Zisserman, "Very deep convolutional networks for large-scale image recognition" (2015),
configuration D. Its weights are shipped once, next to the presets. A captioner uses them unchanged, or
fine-tunes the last block.
"""

from __future__ import annotations

import functools
import hashlib
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from zoo.common.core.errors import ZooError, check_choice
from zoo.common.core.settings import training_only
from zoo.common.layers.make import MakeLayer, new_layer
from zoo.common.presets.store import fetch_file
from zoo.vision_language.captioning.images import SIZE

if TYPE_CHECKING:
    import keras

NAME = "vgg16"
FAMILY = "vision_language"
WEIGHTS = f"{FAMILY}/vgg16/vgg16_imagenet_notop_float16.npz"
# (convolutions, filters) of each block, which ends with a pooling that halves height and width.
BLOCKS = ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512))
# The mean pixel of ImageNet, R, G, B.
MEAN = (123.68, 116.779, 103.939)
NONE, LAST_BLOCK = "none", f"block{len(BLOCKS)}"


def shape_after(blocks: int) -> tuple[int, int, int]:
    """Return height, width and channels of the output of the first `blocks` blocks."""
    return SIZE // 2**blocks, SIZE // 2**blocks, BLOCKS[blocks - 1][1]


# Shape of the features: the output of all blocks.
SHAPE = shape_after(len(BLOCKS))


@dataclass(frozen=True)
class Encoder:
    """The part of VGG16 that a captioner trains.

    Args:
        trainable: "none" keeps the weights of ImageNet. "block5" trains the last block together with the
            decoder, and stores it in the file of the captioner.
    """

    trainable: str = training_only(NONE)

    def __post_init__(self):
        check_choice("model.encoder.trainable", self.trainable, (NONE, LAST_BLOCK))

    @property
    def fixed_blocks(self) -> int:
        """The number of blocks, from the first, that are not trained."""
        return len(BLOCKS) - (self.trainable == LAST_BLOCK)


class Blocks:
    """Consecutive blocks of VGG16, with the layer names of `keras.applications.VGG16`.

    Args:
        make: returns each layer.
        numbers: numbers of the blocks, from 1.
    """

    def __init__(self, make: MakeLayer, numbers: range):
        from keras import layers

        self.layers = []
        for number in numbers:
            convolutions, filters = BLOCKS[number - 1]
            self.layers += [
                make(
                    layers.Conv2D,
                    filters,
                    3,
                    padding="same",
                    activation="relu",
                    kernel_initializer="zeros",
                    name=f"block{number}_conv{i}",
                )
                for i in range(1, convolutions + 1)
            ]
            self.layers.append(make(layers.MaxPooling2D, 2, name=f"block{number}_pool"))

    def __call__(self, x: keras.KerasTensor) -> keras.KerasTensor:
        """Return the output of the last block."""
        for layer in self.layers:
            x = layer(x)
        return x

    def set_trained_weights(self) -> None:
        """Set the ImageNet weights of the layers, which must be built.

        Raises:
            ZooError: the weights are missing or corrupt.
        """
        weights = read_weights(fetch_file(WEIGHTS))
        for layer in self.layers:
            if layer.name in weights:
                layer.set_weights(weights[layer.name])


def build_vgg16(blocks: int = len(BLOCKS)) -> keras.Model:
    """Return the functional model with its trained weights, frozen.

    Input: `image` float32 [batch, 192, 192, 3], RGB from 0 to 255.
    Output: `features` float32 [batch, *shape_after(blocks)].

    Args:
        blocks: number of blocks, from the first.

    Raises:
        ZooError: the weights are missing or corrupt.
    """
    import keras
    from keras import layers

    image = keras.Input((SIZE, SIZE, 3), name="image", dtype="float32")
    x = layers.Rescaling(1.0, offset=[-mean for mean in MEAN], name="minus_mean")(image)
    network = Blocks(new_layer, range(1, blocks + 1))
    x = network(x)
    network.set_trained_weights()
    model = keras.Model({"image": image}, {"features": x}, name=NAME)
    model.trainable = False
    return model


def read_weights(path: Path) -> dict[str, list[np.ndarray]]:
    """Return the kernel [3, 3, in, out] and bias [out] of each convolution, float32, by layer name.

    The network was trained on the channels blue, green, red. The channels of the first kernel are
    reversed here, so that the model takes red, green, blue.

    Args:
        path: the file of weights.

    Raises:
        ZooError: the file is missing or corrupt.
    """
    if not path.exists():
        raise ZooError(f"{path}, the weights of VGG16, is missing.")
    weights: dict[str, list[np.ndarray]] = {}
    before = 3
    try:
        with np.load(path, allow_pickle=False) as file:
            for number, (convolutions, filters) in enumerate(BLOCKS, start=1):
                for i in range(1, convolutions + 1):
                    name = f"block{number}_conv{i}"
                    parts = [file[f"{name}/{part}"] for part in ("kernel", "bias")]
                    pair = [part.astype(np.float32) for part in parts]
                    if [w.shape for w in pair] != [(3, 3, before, filters), (filters,)]:
                        raise ValueError(f"{name} does not have the shape of VGG16")
                    weights[name], before = pair, filters
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ZooError(f"{path} is corrupt: {error}.") from None
    first = weights["block1_conv1"]
    first[0] = first[0][:, :, ::-1]
    return weights


@functools.cache
def checksum() -> str:
    """Return the SHA-256 of the file of weights, in hex. It is part of the key of the feature cache."""
    return hashlib.sha256(fetch_file(WEIGHTS).read_bytes()).hexdigest()
