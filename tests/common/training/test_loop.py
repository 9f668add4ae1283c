"""Test the training loop on a toy: resumed runs, the best epoch, early stopping.

`test_other_backends.py` runs these tests on other backends of Keras.
"""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest

from tests.common.training.toy import DEV, RECIPE, TRAIN, scripted
from zoo.common.core.errors import ZooError
from zoo.common.presets import runs, trained_on
from zoo.common.training import loop, trainers
from zoo.common.training.loop import train
from zoo.common.training.optimizers import SGD, AdamW
from zoo.common.training.overfit import overfit
from zoo.common.training.trainers import Counting
from zoo.common.training.training_model import TrainingModel
from zoo.common.utils.locks import LOCK_FILE, locked

SMALL_STEPS = {"optimizer.learning_rate": 1e-12, "training.epochs": 1}


def weights(folder) -> list[np.ndarray]:
    """Return the weights of the model in a run folder."""
    model = RECIPE.model.load(folder / "model.keras")
    return [np.array(weight) for weight in model.weights]


def last_weights(folder) -> list[np.ndarray]:
    """Return the weights at the end of the last epoch, from the state of a run."""
    variables = TrainingModel(RECIPE.model.build(), RECIPE.task).variables
    with np.load(folder / runs.STATE_FILE) as state:
        return [state[f"v{i:04}"] for i, v in enumerate(variables) if v.trainable]


def assert_same(weights, others, atol=0.0):
    for weight, other in zip(weights, others, strict=True):
        np.testing.assert_allclose(weight, other, rtol=0, atol=atol)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Return the history, the folder and the log lines of a complete run."""
    folder, lines = tmp_path_factory.mktemp("runs") / "whole", []
    return train(RECIPE, TRAIN, DEV, folder, log=lines.append), folder, lines


@pytest.mark.parametrize(("seconds", "pictures"), [(60.0, 2), (-1.0, 4)])
def test_not_every_short_epoch_is_plotted(tmp_path, monkeypatch, seconds, pictures):
    drawn = []
    monkeypatch.setattr(
        loop, "plot_learning_curves", lambda history, *_: drawn.append(len(history))
    )
    monkeypatch.setattr(loop, "_SECONDS_BETWEEN_PICTURES", seconds)
    train(RECIPE.override({"training.epochs": 3}), TRAIN, DEV, tmp_path / "run")
    assert len(drawn) == pictures
    assert (drawn[0], drawn[-1]) == (1, 3)


@pytest.fixture(autouse=True)
def no_plots(monkeypatch):
    """Do not draw plots, except in `run`: they take most of the time."""
    monkeypatch.setattr(loop, "plot_learning_curves", lambda *arguments: None)


def test_a_run_learns_and_logs(run):
    history, folder, lines = run
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
    keys = ["epoch", "loss", "accuracy", "f1_macro", "learning_rate", "seconds"]
    assert list(history[0]) == [*keys, "batches_per_second"]
    assert history[-1]["loss"] < 0.9 * history[0]["loss"]
    assert all(row["learning_rate"] == pytest.approx(0.5) for row in history)
    assert runs.read_history(folder) == history
    assert lines[0].startswith(f"epoch 1/4  loss {history[0]['loss']:.4f}  dev accuracy ")
    assert lines[0].endswith("  best")
    files = {"curves.png", "last.npz", "metrics.csv", "model.keras", "recipe.json", "run.json"}
    assert {path.name for path in folder.iterdir()} == {*files, "examples.txt", "tensorboard"}
    assert {part: len(found) for part, found in trained_on.read(folder).items()} == {
        "train": len(TRAIN),
        "dev": len(DEV),
    }
    record = runs.read_json(folder / "run.json")
    assert record["recipe"] == json.loads(json.dumps(RECIPE.to_dict()))
    assert record["data_checksum"] == RECIPE.data.checksum(TRAIN + DEV)


@pytest.mark.parametrize(
    "optimizer",
    [
        SGD(learning_rate=0.5, momentum=0.9, average_from=2),
        AdamW(learning_rate=1e-2, warmup_epochs=1.5, weight_decay=0.01, average_from=2),
    ],
)
def test_a_resumed_run_equals_an_uninterrupted_one(optimizer, tmp_path):
    """Dropout, momentum, schedule and average continue."""
    recipe = replace(RECIPE, optimizer=optimizer)
    whole = train(recipe, TRAIN, DEV, tmp_path / "whole")

    def lines(line):
        if line.startswith("epoch 3/"):
            raise RuntimeError("power failure")

    with pytest.raises(RuntimeError):
        train(recipe, TRAIN, DEV, tmp_path / "cut", log=lines)
    rest = train(recipe, TRAIN, DEV, tmp_path / "cut", resume=True)
    for key in ("loss", "accuracy", "learning_rate"):
        assert [row[key] for row in whole] == [row[key] for row in rest]
    assert_same(weights(tmp_path / "whole"), weights(tmp_path / "cut"))
    with np.load(tmp_path / "whole" / "last.npz") as a, np.load(tmp_path / "cut" / "last.npz") as b:
        assert set(a) == set(b)
        for name in set(a) - {runs.HISTORY_KEY, runs.MODEL_KEY}:
            np.testing.assert_array_equal(a[name], b[name])


def test_the_best_epoch_is_kept_if_higher_is_better(tmp_path):
    recipe = scripted(RECIPE, 0.2, 0.6, 0.4, 0.6)
    ends, lines = [], []

    def log(line):
        lines.append(line)
        ends.append(last_weights(tmp_path / "run"))

    history = train(recipe, TRAIN, DEV, tmp_path / "run", log=log)
    assert [row["accuracy"] for row in history] == [0.2, 0.6, 0.4, 0.6]
    assert [line.endswith("  best") for line in lines] == [True, True, False, False]
    assert_same(weights(tmp_path / "run"), ends[1])


def test_a_run_without_improvement_stops(tmp_path):
    """The second epoch remains the best; a patience of 2 allows two more."""
    recipe = scripted(RECIPE, 0.2, 0.6, 0.4, 0.6, 0.9)
    recipe = recipe.override({"training.patience": 2, "training.epochs": 5})
    assert len(train(recipe, TRAIN, DEV, tmp_path / "run")) == 4


def test_a_perfect_run_stops(tmp_path):
    recipe = scripted(RECIPE, 0.2, 1.0, 0.4)
    assert len(train(recipe, TRAIN, DEV, tmp_path / "run")) == 2


def test_averaged_weights_are_evaluated_and_kept(tmp_path):
    """The average starts after the second epoch; training continues from the last weights."""
    optimizer = replace(RECIPE.optimizer, average_from=2)
    recipe = replace(scripted(RECIPE, 0.1, 0.2, 0.3, 0.4), optimizer=optimizer)
    ends = []
    train(
        recipe,
        TRAIN,
        DEV,
        tmp_path / "mean",
        log=lambda line: ends.append(last_weights(tmp_path / "mean")),
    )
    means = [np.mean(values, axis=0) for values in zip(*ends[1:], strict=True)]
    assert_same(weights(tmp_path / "mean"), means, atol=1e-6)
    plain = scripted(RECIPE, 0.1, 0.2, 0.3, 0.4)
    train(plain, TRAIN, DEV, tmp_path / "plain")
    assert_same(weights(tmp_path / "plain"), ends[-1])


def test_weights_start_from_init(tmp_path):
    init = RECIPE.model.build()
    train(RECIPE.override(SMALL_STEPS), TRAIN, DEV, tmp_path / "run", init=init)
    assert_same(weights(tmp_path / "run"), [np.array(w) for w in init.weights], atol=1e-6)


def test_the_seed_fixes_the_run(run, tmp_path):
    again = train(RECIPE.override({"training.epochs": 4}), TRAIN, DEV, tmp_path / "again")
    assert [row["loss"] for row in again] == [row["loss"] for row in run[0]]
    other = RECIPE.override({"training.seed": 1, "training.epochs": 1})
    assert train(other, TRAIN, DEV, tmp_path / "other")[0]["loss"] != run[0][0]["loss"]


def test_a_run_can_be_made_longer(tmp_path):
    """It continues from its state, and run.json records the earlier plan."""
    folder = tmp_path / "run"
    first = train(RECIPE.override({"training.epochs": 1}), TRAIN, DEV, folder)
    rows = train(RECIPE.override({"training.epochs": 3}), TRAIN, DEV, folder, resume=True)
    assert len(rows) == 3
    assert rows[0] == first[0]
    record = runs.read_json(folder / runs.RUN_FILE)
    assert record["recipe"]["training"]["epochs"] == 3
    assert [plan["epochs"] for plan in record["planned_before"]] == [1]


def test_another_run_is_not_resumed(tmp_path):
    folder = tmp_path / "run"
    short = RECIPE.override({"training.epochs": 1})
    train(short, TRAIN, DEV, folder)
    other = short.override({"optimizer.learning_rate": 1})
    with pytest.raises(ZooError, match=r"its recipe\.optimizer\.learning_rate was 0\.5"):
        train(other, TRAIN, DEV, folder, resume=True)
    with pytest.raises(ZooError, match="data_checksum"):
        train(short, TRAIN[1:], DEV, folder, resume=True)
    with pytest.raises(ZooError, match="already exists"):
        train(short, TRAIN, DEV, folder)
    (folder / ".part-x.npz").write_bytes(b"half")  # a partial file of a killed process
    assert len(train(short, TRAIN, DEV, folder, resume=True)) == 1
    assert not list(folder.glob(".part-*"))


def test_a_nan_loss_stops_the_run_and_names_the_examples(tmp_path):
    broken = replace(TRAIN[5], x=(float("nan"),) * 4)
    with pytest.raises(ZooError, match="NaN or infinite in epoch 1, batch ") as caught:
        train(RECIPE, [*TRAIN[:5], broken, *TRAIN[6:]], DEV, tmp_path / "run")
    named = str(caught.value).partition("Its examples: ")[2].partition(". ")[0].split(", ")
    assert len(named) == 8
    assert broken.id in named
    assert "No epoch is complete." in str(caught.value)
    assert not (tmp_path / "run").exists()


def test_mixed_precision(tmp_path):
    recipe = RECIPE.override({"training.precision": "mixed_bfloat16", "training.epochs": 2})
    history = train(recipe, TRAIN, DEV, tmp_path / "run")
    assert history[1]["loss"] < history[0]["loss"]
    assert keras.config.dtype_policy().name == "float32"
    assert {weight.dtype for weight in weights(tmp_path / "run")} == {np.dtype("float32")}


def test_overfit(tmp_path):
    recipe = RECIPE.override({"training.epochs": 10, "model.dropout": 0})
    history = overfit(recipe, TRAIN[:4], tmp_path / "run")
    assert history[-1]["accuracy"] == 1
    assert len(history) < 10


def test_overfit_reports_a_missed_target(tmp_path):
    recipe = RECIPE.override(SMALL_STEPS)
    words = r"did not overfit the 6 examples in 1 epochs: its best accuracy on them is 0\.\d+"
    with pytest.raises(ZooError, match=words):
        overfit(recipe, TRAIN[:6], tmp_path / "run")


def test_overfit_needs_gradient_descent(tmp_path):
    with pytest.raises(ZooError, match="toy/perceptron is not trained by gradient descent"):
        overfit(replace(RECIPE, training=Counting()), TRAIN, tmp_path / "run")


def test_gradients_are_clipped_in_training(tmp_path):
    """The norm of a step is at most the learning rate times clip_norm."""
    steps, rate, norm = 4, 0.5, 1e-3
    start = RECIPE.model.build()
    before = [np.array(weight) for weight in start.weights]
    for optimizer in (SGD(rate, clip_norm=norm), SGD(rate, clip_norm=1e3)):
        recipe = replace(RECIPE, optimizer=optimizer).override({"training.epochs": 1})
        folder = tmp_path / str(optimizer.clip_norm)
        train(recipe, TRAIN, DEV, folder, init=start)
        moved = np.sqrt(
            sum(((a - b) ** 2).sum() for a, b in zip(weights(folder), before, strict=True))
        )
        assert (moved <= 1.01 * steps * rate * norm) == (optimizer.clip_norm == norm)


def test_fit_receives_the_number_of_the_epoch(tmp_path, monkeypatch):
    """Callbacks that count epochs continue from one `fit` call to the next."""
    fitted = []
    fit = TrainingModel.fit

    def watched(self, *arguments, **settings):
        history = fit(self, *arguments, **settings)
        fitted.append((settings["initial_epoch"], settings["epochs"], history.epoch))
        return history

    monkeypatch.setattr(TrainingModel, "fit", watched)
    recipe = RECIPE.override({"training.epochs": 2})
    train(recipe, TRAIN, DEV, tmp_path / "run")
    assert fitted == [(0, 1, [0]), (1, 2, [1])]


def test_callbacks_receive_events_and_can_stop_the_run(tmp_path):
    epochs = []

    class StopAfterTwo(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            epochs.append((epoch, logs["loss"]))
            self.model.stop_training = epoch == 1

    history = train(RECIPE, TRAIN, DEV, tmp_path / "run", callbacks=[StopAfterTwo()])
    assert [epoch for epoch, _ in epochs] == [0, 1]
    assert [row["loss"] for row in history] == [loss for _, loss in epochs]


# Killed processes


@pytest.mark.parametrize("left", ["epoch,loss\n", None])
def test_the_table_is_restored_from_the_state(tmp_path, left):
    """The process was killed after it wrote the state and before it wrote the table."""
    folder, recipe = tmp_path / "run", RECIPE.override({"training.epochs": 2})
    history = train(recipe, TRAIN, DEV, folder)
    whole = (folder / runs.CSV_FILE).read_text()
    if left is None:
        (folder / runs.CSV_FILE).unlink()
    else:
        (folder / runs.CSV_FILE).write_text(whole[: whole.index("\n2,")])
    assert runs.read_history(folder) == history
    assert train(recipe, TRAIN, DEV, folder, resume=True) == history
    assert (folder / runs.CSV_FILE).read_text() == whole


def test_two_processes_do_not_train_into_one_folder(tmp_path):
    recipe = RECIPE.override({"training.epochs": 1})
    trainers.train(recipe, TRAIN, DEV, tmp_path / "run")
    before = (tmp_path / "run" / runs.STATE_FILE).read_bytes()
    with locked(tmp_path / "run" / LOCK_FILE):
        for resume in (False, True):
            with pytest.raises(ZooError, match=r"run is in use: process \d+ writes to it"):
                trainers.train(recipe, TRAIN, DEV, tmp_path / "run", resume=resume)
    assert (tmp_path / "run" / runs.STATE_FILE).read_bytes() == before
    assert not (tmp_path / "run" / LOCK_FILE).exists()


def test_a_model_larger_than_memory_is_refused(tmp_path):
    """The check does not build the model."""
    recipe = RECIPE.override({"model.hidden_size": 10**12})
    with pytest.raises(ZooError, match=r"The model has 8,000,000,000,003 weights, too many"):
        train(recipe, TRAIN, DEV, tmp_path / "run")
    assert not (tmp_path / "run").exists()
