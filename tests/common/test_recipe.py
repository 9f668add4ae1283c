"""Recipes: typed overrides, files, what is taken from examples."""

import dataclasses
import json

import pytest

import zoo
from zoo.common.errors import ZooError
from zoo.common.recipe import OptimizerConfig, TrainingConfig, _convert, flatten, settings
from zoo.common.registry import entries, entry
from zoo.speech.corpora import Example

AN4 = "speech/bilstm-ctc-an4"


@pytest.fixture
def recipe():
    return entry(AN4).recipe()


@pytest.mark.parametrize(
    ("key", "value", "expected"),
    [
        ("optimizer.learning_rate", "3e-4", 3e-4),
        ("optimizer.learning_rate", "1", 1.0),
        ("optimizer.learning_rate", 1, 1.0),
        ("training.epochs", "12", 12),
        ("training.epochs", 12.0, 12),
        ("training.precision", "mixed_bfloat16", "mixed_bfloat16"),
        ("model.cell", "gru", "gru"),
        ("model.features.mel_bins", "40", 40),
        ("task.speeds", "0.9,1.1", (0.9, 1.1)),
        ("task.speeds", "1", (1.0,)),
        ("task.speeds", [0.8, 1], (0.8, 1.0)),
        ("task.spec_augment.time_share", "0.1", 0.1),
    ],
)
def test_overrides_are_typed(recipe, key, value, expected):
    found = recipe.override({key: value})
    for name in key.split("."):
        found = getattr(found, name)
    assert found == expected
    assert type(found) is type(expected)


def test_an_override_changes_nothing_else(recipe):
    changed = recipe.override({"model.layers": "1", "training.seed": "5"})
    before, after = settings(recipe), settings(changed)
    assert {key for key in before if before[key] != after[key]} == {"model.layers", "training.seed"}
    assert recipe == entry(AN4).recipe()
    with pytest.raises(dataclasses.FrozenInstanceError):
        recipe.training.seed = 1


@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("modle.layers", 1, "Did you mean 'model'"),
        ("model.layer", 1, "Did you mean 'layers'"),
        ("model.features.mel_bin", 1, "Did you mean 'mel_bins'"),
        ("training.zzz", 1, "Valid: 'batch_size', 'dev_fraction'"),
        ("training.epochs.more", 1, "nothing below it"),
        ("model.features", 1, "is a group"),
        ("training.epochs", "1.0", "a whole number. Received: '1.0'"),
        ("training.epochs", 1.5, "a whole number"),
        ("training.epochs", float("inf"), "a whole number"),
        ("training.epochs", None, "a whole number"),
        ("training.epochs", True, "a whole number"),
        ("optimizer.learning_rate", "fast", "a number. Received: 'fast'"),
        ("optimizer.learning_rate", [], "a number"),
        ("task.speeds", "1;2", "a number"),
        ("task.speeds", 1, "is a list"),
        ("model.cell", None, "is text"),
        ("task.alphabet", "AB", "Unknown setting"),
        ("name", "mine", "cannot be overridden"),
    ],
)
def test_wrong_overrides(recipe, key, value, words):
    with pytest.raises(ZooError) as error:
        recipe.override({key: value})
    assert words in str(error.value)


def test_a_group_names_what_can_be_set(recipe):
    with pytest.raises(ZooError, match=r"task\.beam_width") as error:
        recipe.override({"task": 1})
    assert "alphabet" not in str(error.value)


@pytest.mark.parametrize(
    ("value", "annotation", "expected"),
    [
        ("true", bool, True),
        ("False", bool, False),
        (True, bool, True),
        ("none", int | None, None),
        (None, int | None, None),
        ("3", int | None, 3),
    ],
)
def test_kinds_no_setting_has_yet(value, annotation, expected):
    assert _convert(value, annotation, "key") is expected


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_wrong_truth(value):
    with pytest.raises(ZooError, match="true or false"):
        _convert(value, bool, "key")


@pytest.mark.parametrize("name", [one.name for one in entries()])
def test_a_recipe_comes_back_from_its_file(name):
    recipe = entry(name).recipe()
    changed = recipe.override({"training.seed": 3, "optimizer.learning_rate": 1e-5})
    values = json.loads(json.dumps(changed.to_dict()))
    assert not {"alphabet", "vocabulary"} & set(values["task"])
    assert recipe.merge(values) == changed


def test_every_setting_can_be_set(recipe):
    values = settings(recipe)
    assert recipe.override(values) == recipe
    as_text = {
        k: ",".join(map(str, v)) if isinstance(v, list) else str(v) for k, v in values.items()
    }
    assert recipe.override(as_text) == recipe


def test_flatten():
    assert flatten({"a": {"b": 1, "c": {"d": [2]}}, "e": {}}) == [("a.b", 1), ("a.c.d", [2])]


def test_alphabet_is_taken_from_examples_only_without_one(recipe, tmp_path):
    examples = [Example("a", tmp_path, "öl ja"), Example("b", tmp_path, "nö")]
    assert recipe.fit(examples) == recipe
    scratch = recipe.from_scratch()
    assert scratch.task.alphabet == ""
    fitted = scratch.fit(examples)
    assert fitted.task.alphabet == " ajlnö"
    assert fitted.model.symbols == 7
    assert fitted.fit([]) == fitted


@pytest.mark.parametrize("config", [OptimizerConfig, TrainingConfig])
def test_defaults_are_valid(config):
    config()


def test_create_model():
    model = zoo.create_model(AN4, layers=1, hidden_size=8, conv_filters=2, cell="gru")
    assert {tensor.name for tensor in model.inputs} == {"waveform", "lengths"}
    assert set(model.output) == {"logits", "logit_lengths"}
    with pytest.raises(ZooError, match="Did you mean 'hidden_size'"):
        zoo.create_model(AN4, hiden_size=8)
    with pytest.raises(ZooError, match=AN4):
        zoo.create_model("speech/bilstm-an4")
