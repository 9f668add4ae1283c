"""The classifier of raw waveforms: front end, padding, training and exports, wrong settings."""

import keras
import numpy as np
import pytest

from tests.harness import check_model
from tests.speech.detection.digits import DIGITS, check_padding, read_items
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.speech.detection.corpora.fsdd import FSDD

TINY = {"model.sizes": "4,6", "model.pools": "8", "model.dropout": 0.1}


def recipe(**overrides):
    return entry("speech/lru-fsdd-raw").recipe().override(TINY | overrides)


@pytest.fixture(scope="module")
def items():
    return read_items(recipe())


@pytest.mark.slow
@pytest.mark.parametrize("cell", ["lru", "lstm"])
def test_harness(cell, tmp_path):
    check_model(recipe(**{"model.cell": cell}), FSDD.read(DIGITS, "train"), tmp_path / "tiny")


def test_features_are_normalized_samples(items):
    one = recipe()
    inputs = one.data.collate(items)
    outputs = one.model.front_end(one.model.build())(inputs)
    for row, frames, item in zip(*outputs.values(), items, strict=True):
        samples = item["waveform"] - item["waveform"].mean()
        expected = samples / (samples.std() + 1e-4)
        assert frames == len(samples) // 40
        whole = int(frames) * 40
        np.testing.assert_allclose(np.ravel(row)[:whole], expected[:whole], atol=2e-5)
        assert not np.any(np.ravel(row)[whole:])


def test_padding_has_no_effect():
    one = recipe()
    keras.utils.set_random_seed(1)
    check_padding(one, one.model.build(), atol=1e-5)


def test_level_and_offset_have_no_effect(items):
    model = recipe().model.build()
    inputs = recipe().data.collate(items[:1])
    changed = inputs | {"waveform": inputs["waveform"] * 0.3 + 0.1}
    expected = model(inputs)["logits"]
    np.testing.assert_allclose(model(changed)["logits"], expected, atol=2e-3)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"model.cell": "elman"}, "model.cell must be"),
        ({"model.pools": "8,5"}, "must have one number less than model.sizes"),
        ({"model.pools": "7"}, "must divide model.features.hop_samples"),
    ],
)
def test_wrong_settings(overrides, message):
    with pytest.raises(ZooError, match=message):
        recipe(**overrides)
