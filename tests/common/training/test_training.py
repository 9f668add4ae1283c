"""Training: resumed as if never killed, stopped by what is no number, able to learn."""

import csv
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from tests.conftest import RUN_FILES
from tests.harness import plain
from zoo.common import runs, training
from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.speech.corpora import read_corpus

RECIPE = "speech/bilstm-ctc-an4"
TINY = {
    "model.layers": 1,
    "model.hidden_size": 8,
    "model.conv_filters": 2,
    "training.epochs": 5,
    "training.batch_size": 4,
    "optimizer.warmup_epochs": 0,
    "optimizer.learning_rate": 1e-2,
}


@pytest.fixture(scope="module")
def recipe():
    return plain(entry(RECIPE).recipe().override(TINY))


@pytest.fixture(scope="module")
def examples(an4):
    return read_corpus("an4", an4, "train")


def losses(folder: Path) -> list[str]:
    with (folder / "metrics.csv").open(newline="") as file:
        return [row["loss"] for row in csv.DictReader(file)]


@pytest.mark.slow
def test_a_killed_run_goes_on_as_if_it_had_not_been(an4, tmp_path):
    """`kill -9` in the middle of an epoch, masks and dropout and all; then `--resume`."""
    pytest.importorskip("tensorflow_io")
    command = [sys.executable, "-m", "zoo.cli", "train", RECIPE, "--data", str(an4)]
    for key, value in TINY.items():
        command += ["--set", f"{key}={value}"]
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run([*command, "--out", whole], check=True, capture_output=True)

    process = subprocess.Popen([*command, "--out", killed], stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 300
    while not (killed / "metrics.csv").exists():
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(losses(killed)) < TINY["training.epochs"]

    subprocess.run([*command, "--out", killed, "--resume"], check=True, capture_output=True)
    assert losses(killed) == losses(whole)


def test_resuming_gives_the_losses_of_the_run_that_was_not_interrupted(
    recipe, examples, tmp_path, monkeypatch
):
    """The same within one process, the interruption being an error after two epochs."""
    whole = training.train(recipe, examples[:8], examples[8:], tmp_path / "whole")

    def lines(line):
        if line.startswith("epoch 2/"):
            raise RuntimeError("the power is gone")

    with pytest.raises(RuntimeError):
        training.train(recipe, examples[:8], examples[8:], tmp_path / "cut", log=lines)
    rest = training.train(recipe, examples[:8], examples[8:], tmp_path / "cut", resume=True)
    assert len(whole) == len(rest) == 5
    assert [row["loss"] for row in whole] == [row["loss"] for row in rest]
    assert whole[0]["loss"] > whole[-1]["loss"]
    assert {path.name for path in (tmp_path / "cut").iterdir()} == RUN_FILES


def test_another_run_is_not_resumed(recipe, examples, tmp_path):
    folder = tmp_path / "run"
    short = recipe.override({"training.epochs": 1})
    training.train(short, examples[:4], examples[4:6], folder)
    with pytest.raises(ZooError, match="learning_rate"):
        training.train(
            short.override({"optimizer.learning_rate": 1}),
            examples[:4],
            examples[4:6],
            folder,
            resume=True,
        )
    with pytest.raises(ZooError, match="data_checksum"):
        training.train(short, examples[:3], examples[4:6], folder, resume=True)
    with pytest.raises(ZooError, match="exists already"):
        training.train(short, examples[:4], examples[4:6], folder)


def test_a_state_of_another_model_is_refused(tmp_path):
    runs.save_state(tmp_path, [tf.Variable([1.0, 2.0])], [])
    with pytest.raises(ZooError, match="another model"):
        runs.load_state(tmp_path, [tf.Variable([1.0])])
    state = (tmp_path / runs.STATE_FILE).read_bytes()
    (tmp_path / runs.STATE_FILE).write_bytes(state[: len(state) // 2])
    with pytest.raises(ZooError, match="corrupt"):
        runs.load_state(tmp_path, [tf.Variable([1.0, 2.0])])


@dataclass(frozen=True)
class Poisoned:
    """A speech task whose loss is no number for the utterances of three labels."""

    task: object

    def __getattr__(self, name):
        return getattr(self.task, name)

    def loss(self, y, outputs):
        bad = tf.reduce_any(y["label_lengths"] == 3)
        return self.task.loss(y, outputs) * tf.where(bad, np.nan, 1.0)


def test_a_loss_that_is_no_number_stops_the_run_and_names_the_examples(recipe, examples, tmp_path):
    poisoned = replace(recipe, task=Poisoned(recipe.task))
    three = {example.id for example in examples if len(example.transcript) == 3}
    with pytest.raises(ZooError, match="not a number in epoch 1") as caught:
        training.train(poisoned, examples, examples[:2], tmp_path / "run")
    named = str(caught.value).partition("Its examples: ")[2].partition(". ")[0].split(", ")
    assert len(named) <= recipe.training.batch_size
    assert three & set(named)


def test_a_stale_run_stops(recipe, examples, tmp_path):
    """With a learning rate of 0 the first epoch stays the best; patience 2 allows two more."""
    still = recipe.override({"optimizer.learning_rate": 1e-12, "training.patience": 2})
    history = training.train(still, examples[:4], examples[4:6], tmp_path / "run")
    assert len(history) == 3


def test_weights_start_from_init(recipe, examples, tmp_path):
    init = recipe.model.build()
    still = recipe.override({"optimizer.learning_rate": 1e-12, "training.epochs": 1})
    training.train(still, examples[:4], examples[4:6], tmp_path / "run", init=init)
    from zoo.common.presets.store import load_preset

    trained = load_preset(tmp_path / "run").model
    for ours, theirs in zip(trained.weights, init.weights, strict=True):
        np.testing.assert_allclose(ours, theirs, atol=1e-6)


def test_two_devices_learn_what_one_does(recipe, examples):
    """The loss is each device's share: the gradients of two replicas add up to those of one."""
    learner = training.Learner(recipe.task.learner(recipe.model.build()), recipe.task)
    y = {"labels": tf.constant([[1]]), "label_lengths": tf.constant([1])}
    outputs = {"logits": tf.zeros([1, 4, 28]), "logit_lengths": tf.constant([4])}
    alone = float(learner.compute_loss(y=y, y_pred=outputs))
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    shares = strategy.run(lambda: learner.compute_loss(y=y, y_pred=outputs))
    assert float(strategy.reduce("SUM", shares, axis=None)) == pytest.approx(alone)


@pytest.mark.slow
def test_two_utterances_can_be_learnt(recipe, examples, tmp_path):
    bigger = recipe.override(
        {"model.hidden_size": 64, "model.dropout": 0, "task.speeds": "1", "training.epochs": 30}
        | {"optimizer.learning_rate": 5e-3}
    )
    history = training.overfit(bigger, examples[:2], tmp_path / "run")
    assert min(row["wer"] for row in history) <= training.OVERFIT_LEARNT


def test_what_was_not_learnt_is_said(recipe, examples, tmp_path):
    with pytest.raises(ZooError, match="did not learn the 2 examples in 1 epochs"):
        training.overfit(recipe.override({"training.epochs": 1}), examples[:2], tmp_path / "run")


def test_a_clip_that_vanishes_is_left_out(recipe, examples, tmp_path, capsys):
    gone = replace(examples[0], id="gone", audio=tmp_path / "gone.flac")
    model = recipe.model.build()
    batches = recipe.task.batches(model, recipe, [gone, *examples[1:4]], epoch=0)
    ids = {id_.decode() for _, _, ids in batches.as_numpy_iterator() for id_ in ids}
    assert ids == {example.id for example in examples[1:4]}
    assert "Left out of epoch 1" in capsys.readouterr().err


def test_what_a_killed_process_was_writing_is_cleared_away(recipe, examples, tmp_path):
    folder = tmp_path / "run"
    short = recipe.override({"training.epochs": 1})
    training.train(short, examples[:4], examples[4:6], folder)
    (folder / ".part-x.npz").write_bytes(b"half")
    training.train(short, examples[:4], examples[4:6], folder, resume=True)
    assert not list(folder.glob(".part-*"))
