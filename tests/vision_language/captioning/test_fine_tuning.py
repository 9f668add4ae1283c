"""Tests of fine-tuning the last block of VGG16."""

from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from tests.conftest import settings
from tests.harness import check_model
from tests.vision_language.conftest import RECIPE
from zoo.api.init import start_from
from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.export import exporter
from zoo.common.presets import store
from zoo.common.presets.store import shipped_file
from zoo.common.runtime.preset import load_preset
from zoo.common.training.training_model import TrainingModel
from zoo.vision_language.captioning.captioner import DECODER
from zoo.vision_language.captioning.features import cached_features
from zoo.vision_language.captioning.images import read_image
from zoo.vision_language.captioning.vgg16 import (
    NAME,
    WEIGHTS,
    Encoder,
    build_vgg16,
    read_weights,
)

OWN = ("model.ensemble_size=3", "model.hidden_size=24", "model.embedding_size=16")


@pytest.fixture(scope="module")
def tuned(tiny, examples, tmp_path_factory) -> Path:
    """A captioner after one training step with the last block of VGG16."""
    recipe = replace(tiny, model=replace(tiny.model, encoder=Encoder("block5")))
    keras.utils.set_random_seed(1)
    model = recipe.model.build()
    training_model = TrainingModel(recipe.model.training_model(model), recipe.task)
    training_model.compile(keras.optimizers.Adam(0.03), jit_compile=False)
    x, y, _ = next(iter(recipe.data.batches(examples, recipe.model, model, Epoch(0, 4, 0))))
    assert np.isfinite(training_model.train_on_batch(x, y))
    folder = tmp_path_factory.mktemp("tuned") / "run"
    store.save_model(folder, model, recipe)
    return folder


def test_step_changes_only_the_last_block_which_is_saved(tuned):
    model = load_preset(tuned).model
    parts = (model.get_layer(NAME), model.get_layer(DECODER))
    weights = {layer.name: layer.get_weights() for part in parts for layer in part.layers}
    for name, of_imagenet in read_weights(shipped_file(WEIGHTS)).items():
        pairs = zip(weights[name], of_imagenet, strict=True)
        same = [np.array_equal(weight, expected) for weight, expected in pairs]
        assert same == [not name.startswith("block5")] * 2, name


@pytest.mark.parametrize(
    "format_",
    [
        "keras",
        pytest.param("savedmodel", marks=pytest.mark.slow),
        pytest.param("onnx", marks=pytest.mark.slow),
    ],
)
def test_every_runtime_uses_the_trained_block(tuned, examples, format_, run_zoo):
    """The block of ImageNet gives another probability."""
    if format_ != "keras":
        exporter(format_)(load_preset(tuned), tuned)
    image = examples[0].image
    answer = run_zoo("predict", tuned, image, "--backend", format_, "--json")
    (prediction,) = answer.json["predictions"]

    preset = load_preset(tuned)
    (expected,) = preset.predict([str(image)])
    assert prediction["output"] == expected["output"]
    assert prediction["log_probability"] == pytest.approx(expected["log_probability"], abs=1e-4)
    for name, weights in read_weights(shipped_file(WEIGHTS)).items():
        if name.startswith("block5"):
            preset.model.get_layer(DECODER).get_layer(name).set_weights(weights)
    (other,) = preset.predict([str(image)])
    assert abs(other["log_probability"] - expected["log_probability"]) > 1e-3


def test_init_keeps_the_trained_block(tuned):
    recipe = entry(RECIPE).recipe().override(dict(pair.split("=") for pair in OWN))
    started, kept = start_from(recipe, str(tuned), {})
    assert kept == {"model.encoder.trainable": "block5"}
    assert started.model.encoder == Encoder("block5")
    with pytest.raises(ZooError, match="The model's shape comes from the preset"):
        start_from(recipe, str(tuned), {"model.encoder.trainable": "none"})


@pytest.mark.slow
def test_init_fine_tunes_a_captioner(tiny, rsicd, run_zoo, tmp_path):
    """With a learning rate near 0, the weights stay those of the preset."""
    plain, run = tmp_path / "plain", tmp_path / "run"
    model = tiny.model.build()
    store.save_model(plain, model, tiny)
    changed = (
        "model.encoder.trainable=block5",
        "training.epochs=1",
        "optimizer.learning_rate=1e-9",
    )
    command = ("train", RECIPE, "--data", rsicd, "--init", plain, *settings(*OWN, *changed))
    answer = run_zoo(*command, "--out", run)
    assert answer.status == 0, answer.err
    preset = load_preset(run)
    assert preset.recipe.model.encoder == Encoder("block5")
    statistics = ("moving_mean", "moving_variance")
    for before, after in zip(model.weights, preset.model.weights, strict=True):
        if before.name not in statistics:
            np.testing.assert_allclose(np.array(after), np.array(before), atol=1e-6)


def test_features_of_fixed_blocks(examples):
    """The last block computes the features of VGG16 from them."""
    table, rows, errors = cached_features(examples[:2], blocks=4)
    assert (table.shape, errors) == ((2, 12, 12, 512), {})
    image = read_image(examples[1].image)[None].astype(np.float32)
    fixed, whole = build_vgg16(4), build_vgg16()
    expected = np.array(fixed({"image": image})["features"])[0]
    np.testing.assert_allclose(table[rows[1]], expected, rtol=2e-3, atol=0.05)
    x = table[rows[1]][None].astype(np.float32)
    for layer in whole.layers[-4:]:
        x = layer(x)
    features = np.array(whole({"image": image})["features"])
    np.testing.assert_allclose(x, features, rtol=0.02, atol=0.05)


def test_invalid_block():
    with pytest.raises(ZooError, match=r"model\.encoder\.trainable must be .*'block4'"):
        Encoder("block4")


@pytest.mark.slow
def test_harness(tiny, examples, tmp_path):
    recipe = replace(tiny, model=replace(tiny.model, encoder=Encoder("block5")))
    check_model(recipe, examples, tmp_path / "run")
