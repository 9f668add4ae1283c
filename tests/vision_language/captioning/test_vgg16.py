"""Tests of VGG16 with the shipped weights."""

import keras
import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.presets.store import shipped_file
from zoo.vision_language.captioning import vgg16
from zoo.vision_language.captioning.samples import pictures
from zoo.vision_language.captioning.vgg16 import WEIGHTS, build_vgg16, read_weights

WEIGHTS_FILE = shipped_file(WEIGHTS)


def test_features_equal_those_of_keras():
    """The reference is the network and preprocessing of Keras with the weights of the file."""
    image = np.stack(pictures(192)).astype(np.float32)
    reference = keras.applications.VGG16(weights=None, include_top=False, input_shape=(192, 192, 3))
    with np.load(WEIGHTS_FILE) as file:
        for layer in reference.layers:
            if layer.weights:
                layer.set_weights([file[f"{layer.name}/kernel"], file[f"{layer.name}/bias"]])
    expected = reference(keras.applications.vgg16.preprocess_input(image.copy())).numpy()
    model = build_vgg16()
    received = model({"image": image})["features"].numpy()
    assert received.shape == (3, *vgg16.SHAPE)
    np.testing.assert_allclose(received, expected, atol=1e-3 * expected.max())
    assert expected.max() > 50
    names = [layer.name for layer in model.layers if layer.weights]
    assert names == [layer.name for layer in reference.layers if layer.weights]
    assert not model.trainable_weights


def test_missing_or_corrupt_weights(tmp_path):
    path = tmp_path / "weights.npz"
    with pytest.raises(ZooError, match=r"weights\.npz, the weights of VGG16, is missing"):
        read_weights(path)
    path.write_bytes(WEIGHTS_FILE.read_bytes()[:100_000])
    with pytest.raises(ZooError, match=r"weights\.npz is corrupt"):
        read_weights(path)
    np.savez(path, **{"block1_conv1/kernel": np.zeros((3, 3, 3, 8)), "block1_conv1/bias": [0.0]})
    with pytest.raises(ZooError, match="block1_conv1 does not have the shape of VGG16"):
        read_weights(path)
    np.savez(path, **{"block1_conv1/kernel": np.array([{}], object), "block1_conv1/bias": [0.0]})
    with pytest.raises(ZooError, match=r"weights\.npz is corrupt"):
        read_weights(path)
