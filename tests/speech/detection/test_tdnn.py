"""The time-delay network: harness, equations, padding, answers."""

import keras
import numpy as np
import pytest

from tests.harness import check_model
from tests.speech.detection.digits import DIGITS, check_answers, check_padding, read_items
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.speech.detection.corpora.fsdd import FSDD


def recipe(name="speech/tdnn-fsdd", **overrides):
    return entry(name).recipe().override({f"model.{k}": v for k, v in overrides.items()})


@pytest.fixture(scope="module")
def published():
    return recipe()


@pytest.fixture(scope="module")
def model(published):
    keras.utils.set_random_seed(1)
    return published.model.build()


@pytest.mark.slow
def test_harness(tmp_path):
    wide = recipe("speech/tdnn-wide-fsdd", channels="4,6", kernel_sizes="5,3,3", dropout=0.2)
    check_model(wide, FSDD.read(DIGITS, "train"), tmp_path / "tiny")


def test_the_published_size(model):
    """8 units over 3 frames of 16 filters, then 10 units over 5 frames, each with a bias."""
    shapes = [tuple(weight.shape) for weight in model.trainable_weights]
    assert shapes == [(3, 16, 8), (8,), (5, 8, 10), (10,)]


def test_equations(published, model):
    """Against NumPy, unit by unit: weighted frames, sigmoids, sums of squares over time."""
    items = read_items(published)[:1]
    inputs = published.data.collate(items)
    features = published.model.front_end(model)(inputs)["features"][0].numpy()
    w1, b1, w2, b2 = (np.array(weight) for weight in model.trainable_weights)

    def layer(x, weights, bias):
        margin = len(weights) // 2
        padded = np.pad(x, ((margin, margin), (0, 0)))
        sums = [
            np.einsum("kc,kcu->u", padded[t : t + len(weights)], weights) for t in range(len(x))
        ]
        return 1 / (1 + np.exp(-(np.stack(sums) + bias)))

    evidence = layer(layer(features, w1, b1), w2, b2) ** 2
    assert evidence.shape == (published.model.frames(len(items[0]["waveform"])), 10)
    logits = model(inputs)["logits"][0]
    np.testing.assert_allclose(logits, evidence.sum(axis=0), rtol=1e-4)


@pytest.mark.parametrize("name", ["speech/tdnn-fsdd", "speech/tdnn-wide-fsdd"])
def test_padding_has_no_effect(name):
    one = recipe(name)
    keras.utils.set_random_seed(1)
    check_padding(one, one.model.build())


def test_answers(published, model):
    check_answers(published, model)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ({"channels": "8,0"}, "channels"),
        ({"kernel_sizes": "3"}, "kernel_sizes must have one number for each"),
        ({"activation": "swish"}, "activation must be one of 'sigmoid'"),
        ({"num_classes": 1}, "num_classes"),
        ({"dropout": 1.0}, "dropout"),
    ],
)
def test_invalid_settings(overrides, name):
    with pytest.raises(ZooError, match=f"model.{name}"):
        recipe(**overrides)
