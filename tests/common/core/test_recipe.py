"""Test recipes: typed overrides, files, and adaptation to examples."""

import dataclasses
import json
from dataclasses import dataclass
from typing import Any

import pytest

import zoo
from zoo.common.core.decoder import Decoder, option, resource
from zoo.common.core.errors import ZooError, check_range
from zoo.common.core.recipe import Recipe, settings
from zoo.common.core.registry import entries, entry
from zoo.common.core.settings import (
    asset,
    assets,
    convert,
    flatten,
    renamed,
    training_only,
    training_only_settings,
)
from zoo.common.data.vocabulary import Vocabulary
from zoo.common.decoding.decoders import (
    Classes,
    CTCSearch,
    Forecast,
    Generation,
    Sampling,
    SequenceSearch,
)
from zoo.common.training.optimizers import SGD, AdamW
from zoo.common.training.trainers import Counting, GradientDescent, LeastSquares
from zoo.speech.utterance import Utterance

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
        ("data.speed_perturbation", "0.9,1.1", (0.9, 1.1)),
        ("data.speed_perturbation", "1", (1.0,)),
        ("data.speed_perturbation", [0.8, 1], (0.8, 1.0)),
        ("data.spec_augment.time_share", "0.1", 0.1),
    ],
)
def test_overrides_are_typed(recipe, key, value, expected):
    found = recipe.override({key: value})
    for name in key.split("."):
        found = getattr(found, name)
    assert found == expected
    assert type(found) is type(expected)


def test_an_override_changes_one_setting(recipe):
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
        ("training.epochs.more", 1, "is not a group of settings"),
        ("model.features", 1, "is a group"),
        ("training.epochs", "1.0", "an integer. Received: '1.0'"),
        ("training.epochs", 1.5, "an integer"),
        ("training.epochs", float("inf"), "an integer"),
        ("training.epochs", None, "an integer"),
        ("training.epochs", True, "an integer"),
        ("optimizer.learning_rate", "fast", "a number. Received: 'fast'"),
        ("optimizer.learning_rate", [], "a number"),
        ("data.speed_perturbation", "1;2", "a number"),
        ("data.speed_perturbation", 1, "must be a list"),
        ("model.cell", None, "must be text"),
        ("data.labels", "AB", "Unknown setting"),
        ("name", "mine", "cannot be overridden"),
    ],
)
def test_invalid_overrides(recipe, key, value, words):
    with pytest.raises(ZooError) as error:
        recipe.override({key: value})
    assert words in str(error.value)


def test_the_error_about_a_group_lists_its_settings(recipe):
    with pytest.raises(ZooError, match=r"decoder\.beam_width") as error:
        recipe.override({"decoder": 1})
    assert "decoder.n_best" in str(error.value)
    with pytest.raises(ZooError, match=r"data\.max_seconds") as error:
        recipe.override({"data": 1})
    assert "labels" not in str(error.value)


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
def test_convert(value, annotation, expected):
    assert convert(value, annotation, "key") is expected


@pytest.mark.parametrize("value", ["yes", 1, None])
def test_convert_refuses_other_truth_values(value):
    with pytest.raises(ZooError, match="true or false"):
        convert(value, bool, "key")


@pytest.mark.parametrize("name", [one.name for one in entries()])
def test_a_recipe_is_restored_from_its_file(name):
    recipe = entry(name).recipe()
    changed = recipe.override({"training.seed": 3})
    values = json.loads(json.dumps(changed.to_dict()))
    assert not {"labels", "vocabulary"} & set(values["data"])
    assert recipe.merge(values) == changed


def test_settings_of_every_part_are_restored(recipe):
    overrides = {
        "data.max_seconds": 5,
        "model.layers": 1,
        "decoder.beam_width": 7,
        "optimizer.learning_rate": 0.5,
        "training.epochs": 3,
    }
    changed = recipe.override(overrides)
    assert overrides.items() <= settings(recipe.merge(changed.to_dict())).items()


def test_every_setting_can_be_set(recipe):
    values = settings(recipe)
    assert recipe.override(values) == recipe
    as_text = {
        k: ",".join(map(str, v)) if isinstance(v, list) else str(v)
        for k, v in values.items()
        if v is not None
    }
    assert recipe.override(as_text) == recipe


def test_flatten():
    assert flatten({"a": {"b": 1, "c": {"d": [2]}}, "e": {}}) == [("a.b", 1), ("a.c.d", [2])]


def test_adapt_keeps_existing_labels(recipe, tmp_path):
    texts = {"a": "öl ja", "b": "nö"}
    examples = [Utterance(id_, tmp_path, transcript=text) for id_, text in texts.items()]
    assert recipe.adapt(examples) == recipe
    scratch = recipe.from_scratch()
    assert scratch.data.labels.symbols == ()
    adapted = scratch.adapt(examples)
    assert "".join(adapted.data.labels.symbols) == " ajlnö"
    assert adapted.model.vocabulary_size == 7
    assert adapted.adapt([]) == adapted


PARTS = (AdamW, SGD, GradientDescent, Counting, LeastSquares)
PARTS += (Classes, CTCSearch, Forecast, Generation, Sampling, SequenceSearch)


@pytest.mark.parametrize("part", PARTS)
def test_defaults_are_valid(part):
    part()


@dataclass(frozen=True)
class Range:
    """A part whose fields depend on each other."""

    low: int = 1
    high: int = 2
    words: Vocabulary = asset(Vocabulary, file="words.txt")

    def __post_init__(self):
        check_range("data.low", self.low, below=self.high)


@dataclass(frozen=True)
class Search(Decoder):
    width: int = option(1, "width of the search")
    lm: str | None = resource("a language model")


def toy(**parts: Any) -> Recipe:
    return Recipe("toy/one", data=Range(), model=Range(), task=Range(), training=Range(), **parts)


def test_a_part_is_validated_after_all_fields_are_set():
    """Each value alone is outside the range that the other one defines."""
    for overrides in ({"data.low": 7, "data.high": 9}, {"data.high": -1, "data.low": -3}):
        (first, value), _ = overrides.items()
        assert [*toy().override(overrides).to_dict()["data"].values()] == sorted(overrides.values())
        with pytest.raises(ZooError, match=r"data\.low must be below"):
            toy().override({first: value})


def test_assets_and_resources_are_not_settings():
    recipe = toy(decoder=Search(width=3, lm="words.arpa"))
    assert recipe.to_dict()["decoder"] == {"width": 3}
    assert "data.words" not in settings(recipe)
    assert set(recipe.decoder.options) == {"width", "lm"}
    for key in ("decoder.lm", "data.words"):
        with pytest.raises(ZooError, match=f"Unknown setting '{key}'"):
            recipe.override({key: "mine"})


def test_a_recipe_without_decoder_and_optimizer_is_restored():
    values = json.loads(json.dumps(toy().to_dict()))
    assert values["decoder"] is values["optimizer"] is None
    assert toy().merge(values) == toy()


@dataclass(frozen=True)
class Later:
    """A part with a renamed and a training-only field."""

    monitor: str = renamed("wer", formerly="steer_by")
    dropout: float = training_only(0.5)
    size: int = 3


def test_a_renamed_setting_is_read_under_both_names():
    recipe = Recipe("toy/two", data=Range(), model=Later(), task=Later(), training=Range())
    for key in ("task.steer_by", "task.monitor"):
        assert recipe.override({key: "cer"}).task.monitor == "cer"
    assert recipe.to_dict()["task"] == {"monitor": "wer", "dropout": 0.5, "size": 3}


def test_metadata_of_fields():
    assert training_only_settings(Later()) == {"dropout"}
    assert [asset.file for asset in assets(Range()).values()] == ["words.txt"]


def test_create_model():
    model = zoo.create_model(AN4, layers=1, hidden_size=8, conv_filters=2, cell="gru")
    assert {tensor.name for tensor in model.inputs} == {"waveform", "lengths"}
    assert set(model.output) == {"logits", "logit_lengths"}
    with pytest.raises(ZooError, match="Did you mean 'hidden_size'"):
        zoo.create_model(AN4, hiden_size=8)
    with pytest.raises(ZooError, match=AN4):
        zoo.create_model("speech/bilstm-an4")


def test_an_older_file_without_a_new_setting_has_its_default():
    """The recipe has another value now, which would change the answers of older weights."""
    recipe = entry("speech/lstm-ctc-phoneme-an4").recipe()
    assert recipe.model.features.dynamic_range == 60
    values = recipe.to_dict()
    assert recipe.merge(values) == recipe
    del values["model"]["features"]["dynamic_range"]
    assert recipe.merge(values).model.features.dynamic_range is None
