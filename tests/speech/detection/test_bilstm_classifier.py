"""The bidirectional classifier: harness, padding, answers."""

import keras
import numpy as np
import pytest

from tests.harness import check_model, plain
from tests.speech.detection.digits import DIGITS, check_answers, check_padding
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.speech.detection.corpora.fsdd import FSDD


def recipe(**overrides):
    settings = {"layers": 2, "hidden_size": 6} | overrides
    found = entry("speech/bilstm-fsdd").recipe()
    return plain(found.override({f"model.{k}": v for k, v in settings.items()}))


@pytest.fixture(scope="module")
def tiny():
    return recipe()


@pytest.fixture(scope="module", params=["ends", "mean_maximum"])
def model(request):
    keras.utils.set_random_seed(1)
    return recipe(pooling=request.param).model.build()


def test_harness(tiny, tmp_path, formats):
    check_model(tiny, FSDD.read(DIGITS, "train"), tmp_path / "tiny", formats)


@pytest.mark.slow
def test_padding_has_no_effect(tiny, model):
    check_padding(tiny, model)


def test_both_ends_have_an_effect(tiny, model):
    """A change in the first or in the last frames changes the logits."""
    item = tiny.data.read_example(FSDD.read(DIGITS, "all")[0], tiny.model)
    features = tiny.model.front_end(model)(tiny.data.collate([item]))["features"].numpy()
    network = tiny.model.training_model(model)
    frames = np.array([features.shape[1]], np.int32)
    logits = network({"features": features, "frames": frames})["logits"]
    for part in (slice(0, 3), slice(-3, None)):
        changed = features.copy()
        changed[:, part] += 2
        other = network({"features": changed, "frames": frames})["logits"]
        assert np.abs(np.array(other - logits)).max() > 1e-3


def test_answers(tiny, model):
    check_answers(tiny, model)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        ({"layers": 0}, "layers"),
        ({"hidden_size": 0}, "hidden_size"),
        ({"num_classes": 1}, "num_classes"),
        ({"dropout": 1.0}, "dropout"),
        ({"pooling": "last"}, "pooling"),
    ],
)
def test_invalid_settings(overrides, name):
    with pytest.raises(ZooError, match=f"model.{name}"):
        recipe(**overrides)
