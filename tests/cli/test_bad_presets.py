"""Presets and runs that are incomplete, corrupt or hostile: one clear line, and no code runs."""

import json
import shutil
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest

import zoo
from tests.conftest import AN4, RECIPE, TINY
from zoo import ZooError

CLIP = AN4 / "test" / "fcaw" / "an409-fcaw-b.flac"


@pytest.fixture
def preset(tiny_run, tmp_path) -> Path:
    """The folder of a preset to damage."""
    return shutil.copytree(tiny_run, tmp_path / "preset")


@pytest.mark.parametrize("name", ["model.keras", "recipe.json", "alphabet.txt"])
def test_a_file_of_a_preset_is_missing(refused, preset, name):
    (preset / name).unlink()
    for command in (["predict", preset, CLIP], ["evaluate", preset, "--data", AN4]):
        assert refused(*command) == f"zoo: {preset / name} is missing.\n"


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("model.keras", b"", "not a complete Keras file"),
        ("model.keras", b"hello", "not a complete Keras file"),
        ("recipe.json", b"", "invalid JSON"),
        ("recipe.json", b"\xff\xfe", "not UTF-8"),
        ("recipe.json", b"[" * 100_000, "invalid JSON"),
        ("recipe.json", b"5", "it has no name of a recipe"),
        ("recipe.json", b'{"name": ["a"]}', "it has no name of a recipe"),
        ("recipe.json", b'{"name": "speech/none"}', "no recipe 'speech/none'"),
        ("alphabet.txt", b"", "is corrupt"),
        ("alphabet.txt", b"A\nB\n", "must begin with <blank>"),
        ("alphabet.txt", b"<blank>\n", "is corrupt"),
        ("alphabet.txt", b"<blank>\nAB\n", "Each label must be one character"),
        ("alphabet.txt", b"<blank>\nA\nA\n", "each label must occur once"),
        ("alphabet.txt", b"<blank>\n\xe4\n", "not UTF-8"),
        ("alphabet.txt", b"<blank>\nA\nB\n", "and recipe.json belong to different models"),
    ],
)
def test_a_file_of_a_preset_is_corrupt(refused, preset, name, content, words):
    (preset / name).write_bytes(content)
    line = refused("predict", preset, CLIP)
    assert words in line
    assert name in line or f"{preset}: " in line


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("model.layrs", 1, "Did you mean 'layers'"),
        ("model.layers", "three", "must be an integer. Received: 'three'"),
        ("model.layers", None, "an integer. Received: 'None'"),
        ("model.layers", True, "an integer. Received: 'True'"),
        ("model.layers", 1e999, "an integer. Received: 'inf'"),
        ("model.layers", 0, "at least 1"),
        ("model.cell", ["lstm"], "must be text"),
        ("model", [1], "is a group"),
        ("data.speed_perturbation", 5, "must be a list"),
        ("model.hidden_size", 8, "the shapes of its weights differ"),
        ("model.vocabulary_size", 5, "and recipe.json belong to different models"),
    ],
)
def test_a_recipe_file_with_a_wrong_value(refused, preset, key, value, words):
    path = preset / "recipe.json"
    recipe = json.loads(path.read_text())
    *groups, last = key.split(".")
    group = recipe
    for name in groups:
        group = group[name]
    group[last] = value
    path.write_text(json.dumps(recipe))
    line = refused("predict", preset, CLIP)
    assert words in line
    assert "recipe.json" in line or "the recipe" in line


def test_the_figures_of_a_preset_are_corrupt(preset):
    (preset / "metrics.json").write_text("{")
    with pytest.raises(ZooError, match=r"metrics.json is corrupt: invalid JSON"):
        zoo.load(str(preset))


@pytest.mark.parametrize("share", [0.01, 0.5, 0.999])
def test_a_truncated_model(refused, preset, share):
    path = preset / "model.keras"
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert "model.keras is corrupt" in refused("predict", preset, CLIP)


def test_a_model_with_flipped_bytes(refused, preset):
    path = preset / "model.keras"
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 100] = bytes(255 - byte for byte in content[middle : middle + 100])
    path.write_bytes(content)
    assert "model.keras cannot be opened" in refused("predict", preset, CLIP)


def test_a_model_of_another_shape(refused, preset):
    inputs = keras.Input((3,))
    keras.Model(inputs, keras.layers.Dense(2)(inputs)).save(preset / "model.keras")
    assert "the shapes of its weights differ" in refused("predict", preset, CLIP)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_model_with_a_weight_that_is_no_number(refused, preset, value):
    path = preset / "model.keras"
    model = keras.saving.load_model(path)
    weights = model.get_weights()
    weights[-1][0] = value
    model.set_weights(weights)
    model.save(path)
    assert "NaN or infinite weights" in refused("predict", preset, CLIP)


def test_a_model_that_carries_code(refused, preset, tmp_path):
    mark = tmp_path / "was run"
    source = f"open({str(mark)!r}, 'w')"
    inputs = keras.Input((3,))
    trap = keras.layers.Lambda(lambda x, source=source: (eval(source), x)[1])  # noqa: S307
    keras.Model(inputs, trap(inputs)).save(preset / "model.keras")
    mark.unlink()  # building it ran it once
    line = refused("predict", preset, CLIP)
    assert "safe mode" in line
    assert "Lambda" in line
    assert not mark.exists()


@pytest.mark.parametrize(
    "config",
    [
        {"module": "os", "class_name": "system", "config": {}, "registered_name": None},
        {"module": "builtins", "class_name": "function", "config": "eval", "registered_name": "os"},
        5,
    ],
)
def test_a_model_file_that_names_other_code(refused, preset, config):
    path = preset / "model.keras"
    with zipfile.ZipFile(path) as file:
        members = {name: file.read(name) for name in file.namelist()}
    members["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as file:
        for name, content in members.items():
            file.writestr(name, content)
    assert "cannot be opened in Keras's safe mode" in refused("predict", preset, CLIP)


def test_resume_with_another_recipe_or_other_data(refused, tiny_run, tmp_path):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    command = ("train", RECIPE, "--out", run, *TINY, "--resume")
    line = refused(*command, "--data", AN4, "--set", "training.batch_size=9")
    assert "recipe.training.batch_size was 16. Received: 9." in line
    data = tmp_path / "an4"
    shutil.copytree(AN4, data)
    table = data / "utterances.tsv"
    table.write_text(table.read_text().replace("ENTER SIXTY", "ENTER SIX"))
    assert "data_checksum was" in refused(*command, "--data", data)


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("run.json", b"{", "run.json is corrupt"),
        ("run.json", b"[]", "run.json is corrupt"),
        ("last.npz", b"", "last.npz is corrupt"),
        ("last.npz", b"PK\3\4 half", "last.npz is corrupt"),
    ],
)
def test_resume_from_a_corrupt_file(refused, tiny_run, tmp_path, name, content, words):
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    (run / name).write_bytes(content)
    command = ("train", RECIPE, "--data", AN4, "--out", run, *TINY, "--resume")
    assert words in refused(*command)
    assert (run / "model.keras").exists()
