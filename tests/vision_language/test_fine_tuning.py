"""VGG16's last block trained with the decoder: what changes, what is kept, and who answers with it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.conftest import settings
from tests.harness import check_model
from tests.vision_language.conftest import RECIPE
from zoo.cli.start_from import start_from
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.export import exporter
from zoo.common.presets import store
from zoo.common.runtime.preset import load_preset
from zoo.vision_language.captioner import DECODER
from zoo.vision_language.features import cached_features
from zoo.vision_language.images import read_image
from zoo.vision_language.vgg16 import NAME, WEIGHTS_FILE, Encoder, build_vgg16, read_weights

FINE_TUNING = settings("model.encoder.trainable=block5")
SHORT = settings(
    "model.ensemble_size=3",
    "model.hidden_size=24",
    "model.embedding_size=16",
    "training.epochs=1",
    "training.batch_size=4",
    "optimizer.learning_rate=0.003",
)


@pytest.fixture(scope="module")
def plain(tiny, tmp_path_factory) -> Path:
    """A captioner of random weights on VGG16 as it is."""
    folder = tmp_path_factory.mktemp("plain") / "run"
    store.save_model(folder, tiny.model.build(), tiny)
    return folder


@pytest.fixture(scope="module")
def tuned(plain, rsicd, tmp_path_factory) -> Path:
    """The same after an epoch on the drawn pictures, with VGG16's last block."""
    from zoo.cli.main import main

    run = tmp_path_factory.mktemp("tuned") / "run"
    command = [
        "train",
        RECIPE,
        "--data",
        rsicd,
        "--init",
        plain,
        *FINE_TUNING,
        *SHORT,
        "--out",
        run,
    ]
    assert main([str(argument) for argument in command]) == 0
    return run


def test_the_last_block_is_trained_and_kept(plain, tuned):
    before, after = load_preset(plain).model, load_preset(tuned).model
    assert [w.shape for w in after.weights] == [w.shape for w in before.weights]
    imagenet = read_weights(WEIGHTS_FILE)
    layers = {
        layer.name: layer
        for layer in (*after.get_layer(NAME).layers, *after.get_layer(DECODER).layers)
    }
    for name, expected in imagenet.items():
        kept = np.array_equal(layers[name].get_weights()[0], expected[0])
        assert kept == (not name.startswith("block5")), name
    of_decoder = before.get_layer(DECODER).weights
    assert all(
        np.any(np.array(old) != np.array(new))
        for old, new in zip(of_decoder, after.weights[-len(of_decoder) :], strict=True)
    )


@pytest.mark.parametrize(
    "format_",
    [
        "keras",
        pytest.param("savedmodel", marks=pytest.mark.slow),
        pytest.param("onnx", marks=pytest.mark.slow),
    ],
)
def test_every_runtime_answers_with_the_trained_block(tuned, examples, format_, run_zoo):
    """And not with ImageNet's, which gives another probability."""
    if format_ != "keras":
        exporter(format_)(load_preset(tuned), tuned)
    image = examples[0].image
    answer = run_zoo("predict", tuned, image, "--backend", format_, "--json")
    (prediction,) = answer.json["predictions"]

    preset = load_preset(tuned)
    (expected,) = preset.predict([str(image)])
    assert prediction["output"] == expected["output"]
    assert prediction["log_probability"] == pytest.approx(expected["log_probability"], abs=1e-3)
    for name, weights in read_weights(WEIGHTS_FILE).items():
        if name.startswith("block5"):
            preset.model.get_layer(DECODER).get_layer(name).set_weights(weights)
    (other,) = preset.predict([str(image)])
    assert abs(other["log_probability"] - expected["log_probability"]) > 0.01


def test_a_run_that_starts_from_it_keeps_the_block(tuned):
    recipe = entry(RECIPE).recipe().override(dict(pair.split("=") for pair in SHORT[1::2]))
    started, kept = start_from(recipe, str(tuned), {})
    assert kept == {"model.encoder.trainable": "block5"}
    assert started.model.encoder == Encoder("block5")
    with pytest.raises(ZooError, match="The model's shape comes from the preset"):
        start_from(recipe, str(tuned), {"model.encoder.trainable": "none"})


def test_the_fixed_blocks_are_computed_once(examples):
    """Their features are those that the last block of VGG16 begins with."""
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


def test_other_blocks_are_refused():
    with pytest.raises(ZooError, match=r"model\.encoder\.trainable must be .*'block4'"):
        Encoder("block4")


@pytest.mark.slow
def test_model_stands_what_every_model_has_to(tiny, examples, tmp_path):
    recipe = replace(tiny, model=replace(tiny.model, encoder=Encoder("block5")))
    check_model(recipe, examples, tmp_path / "run")
