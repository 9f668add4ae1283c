"""Training from the weights of a preset."""

import json
from pathlib import Path

import numpy as np
import pytest

import zoo
from tests.conftest import AN4, RECIPE, TINY_TRAINING, settings
from zoo.api.init import is_training_only, start_from
from zoo.api.train import train_recipe
from zoo.common.core.registry import entry

DIGITS = Path(__file__).parents[1] / "data" / "fsdd"


def test_init_starts_from_the_weights_of_a_run(run_zoo, tmp_path, renamed_splits, tiny_run):
    """Only the train split of the manifest is trained on."""
    out = tmp_path / "run"
    manifest = renamed_splits(
        lambda line: (
            line.replace("test", "train") if "fcaw" in line else line.replace("train", "mine")
        )
    )
    still = settings(*TINY_TRAINING, "optimizer.learning_rate=1e-12", "model.dropout=0.4")
    source = ("--manifest", manifest, "--init", tiny_run)
    answer = run_zoo("train", RECIPE, *source, "--out", out, *still)
    assert answer.status == 0
    # The shape of the model comes from the run, which is reported. Dropout is not part of it.
    kept = "model.layers=1, model.hidden_size=16, model.conv_filters=4"
    read_line, split_line, kept_line, *left_out, compiles, took, epoch = answer.err.splitlines()
    assert read_line == f"{manifest}: 22 recording(s), in the layout of AN4 (utt_id)."
    assert (compiles, took[:14]) == ("The first step compiles the model.", "The first step")
    assert "dev is split off by example" in split_line  # one speaker is left
    assert kept_line == f"As in {tiny_run}: {kept}."
    assert left_out == [
        "Left out of training: 12 of the split 'mine'.",
        "Left out of training: 8 of the split 'test'.",
    ]
    assert epoch.startswith("epoch 1/1")
    record = json.loads((out / "run.json").read_text())
    assert record["left_out"]["train"] == {"of the split 'mine'": 12, "of the split 'test'": 8}
    assert (out / "alphabet.txt").read_text() == (tiny_run / "alphabet.txt").read_text()
    model = json.loads((out / "recipe.json").read_text())["model"]
    assert (model["layers"], model["dropout"]) == (1, 0.4)
    weights = zip(
        zoo.load(str(out)).model.weights, zoo.load(str(tiny_run)).model.weights, strict=True
    )
    assert all(np.allclose(new, old, atol=1e-7) for new, old in weights)


@pytest.mark.parametrize(
    "setting", ["model.layers=2", "model.subsampling_factor=2", "model.features.high_hz=4000"]
)
def test_init_refuses_what_the_weights_do_not_fit(refused, tiny_run, tmp_path, setting):
    """Other shapes of weights, other time steps and other features are refused."""
    source = ("--data", AN4, "--init", tiny_run, "--out", tmp_path / "run")
    key = setting.partition("=")[0]
    assert f"--set {key} with --init" in refused("train", RECIPE, *source, *settings(setting))
    assert not (tmp_path / "run").exists()


def test_init_accepts_features_that_the_weights_can_learn():
    """The fixed weights of the front end follow the features."""
    name, override = "speech/lstm-ctc-phoneme-an4", {"model.features.dynamic_range": 60.0}
    recipe, kept = start_from(entry(name).recipe().override(override), name, override)
    assert recipe.model.features.dynamic_range == 60
    assert not any("features" in key for key in kept)
    model, preset = recipe.model.build(), zoo.load(name).model
    recipe.model.take_weights(model, preset)
    assert np.abs(model.get_layer("dft").get_weights()[0].sum(axis=0)).max() < 1e-4
    for layer in ("lstm0", "logits"):
        pairs = zip(
            model.get_layer(layer).get_weights(), preset.get_layer(layer).get_weights(), strict=True
        )
        assert all(np.array_equal(*pair) for pair in pairs)


def test_dropout_is_not_taken_from_the_preset():
    """Answers do not depend on dropout."""
    name = "language/charlstm-hello"
    dropout = {"model.recurrent_dropout": 0.25, "model.dropout": 0.125}
    recipe, kept = start_from(entry(name).recipe().override(dropout), name, dropout)
    assert (recipe.model.recurrent_dropout, recipe.model.dropout) == (0.25, 0.125)
    assert not any("dropout" in key for key in kept)


def test_training_only_settings_are_declared():
    model = entry(RECIPE).recipe().model
    assert is_training_only(model, ["dropout"])
    assert not is_training_only(model, ["layers"])
    assert not is_training_only(model, ["features", "high_hz"])


def digits_as(folder, names):
    """Write a manifest of the digits in `tests/data/fsdd`, with other names for some classes."""
    rows = ["wav_filename,label,split"]
    for path in sorted((DIGITS / "recordings").glob("*")):
        label = path.name[0]
        split = "dev" if path == sorted(path.parent.glob(f"{label}_*"))[0] else "train"
        rows.append(f"{path},{names.get(label, label)},{split}")
    manifest = folder / "digits.csv"
    manifest.write_text("\n".join(rows) + "\n")
    return manifest


def test_init_with_other_classes(tmp_path, capsys):
    """The output layer is new, and frozen layers keep the weights of the preset."""
    name, out = "speech/tdnn-fsdd", tmp_path / "run"
    manifest = digits_as(tmp_path, {"7": "seven"})
    rates = {"optimizer.learning_rate": 0.1, "optimizer.warmup_epochs": 0}
    overrides = {**rates, "training.epochs": 3, "training.frozen_epochs": 1}
    epochs = []

    def keep(row):
        epochs.append(zoo.load(str(out)).model.get_weights())

    given = {"manifest": manifest, "init": name, "out": out, "overrides": overrides}
    result = train_recipe(name, **given, on_epoch=keep)
    assert (
        "Their output layer is new, except for 2 label(s) of speech/tdnn-fsdd"
        in capsys.readouterr().err
    )
    labels = (out / "alphabet.txt").read_text().split()
    assert labels == ["0", "1", "seven"]
    assert len(result.history) == 3
    preset = zoo.load(name).model.get_weights()
    *lower, kernel, _ = epochs[0]
    assert all(np.array_equal(one, two) for one, two in zip(lower, preset[:-2], strict=True))
    assert kernel.shape == (5, 8, 3)
    state = np.load(out / "last.npz")
    trained = [state[key] for key in sorted(state) if state[key].shape == preset[-4].shape]
    assert not any(np.array_equal(array, preset[-4]) for array in trained)


def test_init_keeps_the_classes_that_it_knows(tmp_path, capsys):
    """A manifest with some classes of the preset does not change its output layer."""
    name, out = "speech/tdnn-fsdd", tmp_path / "run"
    zoo.train(
        name,
        manifest=digits_as(tmp_path, {}),
        init=name,
        out=out,
        overrides={"training.epochs": 1},
    )
    assert "output layer" not in capsys.readouterr().err
    assert (out / "alphabet.txt").read_text().split() == list("0123456789")
