"""Test that presets and run folders are saved and loaded."""

import json
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.data.labels import Labels
from zoo.common.presets import store
from zoo.common.runtime.preset import load_preset

AN4 = "speech/bilstm-ctc-an4"
TINY = {"model.layers": 1, "model.hidden_size": 8, "model.conv_filters": 2}


@pytest.fixture(scope="module")
def recipe():
    return entry(AN4).recipe().override(TINY)


@pytest.fixture(scope="module")
def saved(tmp_path_factory, recipe):
    """Return a folder and the model that was saved in it."""
    keras.utils.set_random_seed(0)
    folder = tmp_path_factory.mktemp("presets") / "tiny"
    model = recipe.model.build()
    store.save_model(folder, model, recipe)
    return folder, model


def logits(model, seed=0) -> np.ndarray:
    generator = np.random.default_rng(seed)
    inputs = {
        "waveform": generator.normal(0, 0.1, (2, 8000)).astype(np.float32),
        "lengths": np.array([8000, 6000], np.int32),
    }
    return np.asarray(model(inputs)["logits"])


def members(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as file:
        return {name: file.read(name) for name in file.namelist()}


def test_a_model_is_restored(saved, recipe):
    folder, model = saved
    assert {path.name for path in folder.iterdir()} == {
        "alphabet.txt",
        "model.keras",
        "recipe.json",
    }
    preset = zoo.load(str(folder))
    assert (preset.name, preset.folder, preset.recipe) == (str(folder), folder, recipe)
    assert preset.metrics == {}
    np.testing.assert_array_equal(logits(preset.model), logits(model))


def test_the_file_has_keras_layers_only(saved):
    def modules(config):
        if isinstance(config, dict):
            if config.get("module"):
                yield config["module"]
            config = list(config.values())
        if isinstance(config, list):
            for item in config:
                yield from modules(item)

    folder, model = saved
    config = json.loads(members(folder / "model.keras")["config.json"])
    found = set(modules(config))
    assert "keras.layers" in found
    assert all(module == "keras" or module.startswith("keras.") for module in found)
    plain = keras.saving.load_model(folder / "model.keras", safe_mode=True)
    np.testing.assert_allclose(logits(plain), logits(model), atol=1e-5)


def test_a_model_of_mixed_precision_is_saved_in_float32(tmp_path, recipe):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = recipe.model.build()
    finally:
        keras.config.set_dtype_policy(before)
    store.save_model(tmp_path, model, recipe)
    loaded = load_preset(tmp_path).model
    assert {layer.dtype_policy.name for layer in loaded.layers} <= {"float32", "int32"}
    np.testing.assert_allclose(logits(loaded), logits(model), atol=0.05)


def test_saving_replaces_the_files(tmp_path, recipe):
    for seed in (1, 2):
        keras.utils.set_random_seed(seed)
        model = recipe.model.build()
        store.save_model(tmp_path, model, recipe)
    np.testing.assert_array_equal(logits(load_preset(tmp_path).model), logits(model))


def test_shrink_halves_the_trained_weights_only(saved, recipe, tmp_path):
    folder = shutil.copytree(saved[0], tmp_path / "small")
    path = folder / "model.keras"
    before = path.stat().st_size
    recipe.model.shrink(path)
    assert path.stat().st_size < before
    assert [p.name for p in tmp_path.rglob(".part-*")] == []
    large, small = (load_preset(f).model for f in (saved[0], folder))
    for a, b in zip(large.weights, small.weights, strict=True):
        a, b = np.asarray(a), np.asarray(b)
        assert b.dtype == np.float32
        np.testing.assert_allclose(a, b, atol=1e-3)
    fixed = [np.asarray(w) for w in small.non_trainable_weights]
    assert fixed
    for a, b in zip(large.non_trainable_weights, fixed, strict=True):
        np.testing.assert_array_equal(np.asarray(a), b)
    assert any(
        not np.array_equal(np.asarray(a), np.asarray(b))
        for a, b in zip(large.trainable_weights, small.trainable_weights, strict=True)
    )
    np.testing.assert_allclose(logits(small), logits(large), atol=0.02)


def test_find(saved, tmp_path, monkeypatch):
    folder = saved[0]
    monkeypatch.setattr(store, "ROOT", tmp_path)
    assert store.names() == []
    with pytest.raises(ZooError, match=r"'speech/none'\. There are no presets"):
        store.find("speech/none")
    shutil.copytree(folder, tmp_path / "speech" / "tiny")
    (tmp_path / "speech" / "unfinished").mkdir()
    assert store.names() == ["speech/tiny"]
    assert store.find("speech/tiny") == tmp_path / "speech" / "tiny"
    assert store.find(folder) == store.find(f"{folder}/") == folder
    with pytest.raises(ZooError, match="Did you mean 'speech/tiny'"):
        store.find("speech/tini")
    for name in ("", "n" * 300, str(folder / "recipe.json")):
        with pytest.raises(ZooError, match="no run folder"):
            store.find(name)


def test_metrics_are_read(saved, tmp_path):
    folder = shutil.copytree(saved[0], tmp_path / "preset")
    (folder / "metrics.json").write_text('{"figures": {}}')
    assert zoo.load(str(folder)).metrics == {"figures": {}}


def test_labels_of_another_unit_than_those_of_the_recipe(tmp_path):
    """`--init` may replace letters by the words of another preset."""
    recipe = entry("speech/bilstm-ctc-an4").recipe()
    data = replace(recipe.data, target="words", labels=Labels(("GO", "NO"), "word"))
    recipe = replace(recipe, data=data, model=replace(recipe.model, vocabulary_size=3))
    store.save_recipe(tmp_path, recipe)
    assert store.load_recipe(tmp_path) == recipe


def test_alphabet_file(saved, recipe, tmp_path):
    folder = shutil.copytree(saved[0], tmp_path / "preset")
    path = folder / "alphabet.txt"
    assert path.read_text() == "<blank>\n" + "".join(
        f"{letter}\n" for letter in recipe.data.labels.symbols
    )
    # Some editors write such line ends.
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n").removesuffix(b"\r\n"))
    assert store.load_recipe(folder) == recipe


@pytest.mark.parametrize("cell", ["lstm", "gru"])
@pytest.mark.parametrize(
    "change", [{"model.hidden_size": 9}, {"model.layers": 2}, {"model.cell": 0}]
)
def test_weights_of_another_model(tmp_path, recipe, cell, change):
    recipe = recipe.override({"model.cell": cell})
    store.save_model(tmp_path, recipe.model.build(), recipe)
    other = (
        {"model.cell": {"lstm": "gru", "gru": "lstm"}[cell]} if "model.cell" in change else change
    )
    (tmp_path / "recipe.json").write_text(json.dumps(recipe.override(other).to_dict()))
    with pytest.raises(ZooError, match="the shapes of its weights differ"):
        load_preset(tmp_path)
