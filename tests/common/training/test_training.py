"""Test training on speech: killed and resumed runs, several devices, deleted clips."""

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
from zoo.common.core.data import Epoch
from zoo.common.core.errors import ZooError
from zoo.common.core.metrics import best, overfit_target
from zoo.common.core.registry import entry
from zoo.common.training.loop import train
from zoo.common.training.overfit import overfit
from zoo.common.training.training_model import TrainingModel
from zoo.speech.recognition.corpora.an4 import AN4

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
    return plain(entry(RECIPE).recipe().override(TINY | {"data.speed_perturbation": "1"}))


@pytest.fixture(scope="module")
def examples(an4):
    """Return examples, the shortest first. Their lengths are equal, which saves compilations."""
    return sorted(AN4.read(an4, "train"), key=lambda example: example.seconds)


def losses(folder: Path) -> list[str]:
    with (folder / "metrics.csv").open(newline="") as file:
        return [row["loss"] for row in csv.DictReader(file)]


@pytest.mark.slow
def test_a_killed_run_continues(an4, tmp_path):
    """`kill -9` in the middle of an epoch with masks and dropout, then `--resume`."""
    command = [sys.executable, "-m", "zoo.cli.main", "train", RECIPE, "--data", str(an4)]
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


def test_a_resumed_run_has_the_losses_of_an_uninterrupted_one(recipe, examples, tmp_path):
    """The interruption is an error after an epoch, in one process."""
    recipe = recipe.override({"training.epochs": 3})
    train_examples, dev_examples = examples[:4], examples[4:6]
    whole = train(recipe, train_examples, dev_examples, tmp_path / "whole")

    def lines(line):
        if line.startswith("epoch 1/"):
            raise RuntimeError("power failure")

    with pytest.raises(RuntimeError):
        train(recipe, train_examples, dev_examples, tmp_path / "cut", log=lines)
    rest = train(recipe, train_examples, dev_examples, tmp_path / "cut", resume=True)
    assert len(whole) == len(rest) == 3
    assert [row["loss"] for row in whole] == [row["loss"] for row in rest]
    assert whole[0]["loss"] > whole[-1]["loss"]
    assert {path.name for path in (tmp_path / "cut").iterdir()} == RUN_FILES


@dataclass(frozen=True)
class Poisoned:
    """A speech task whose loss is NaN for utterances of three labels."""

    task: object

    def __getattr__(self, name):
        return getattr(self.task, name)

    def loss(self, y, outputs):
        bad = tf.reduce_any(y["label_lengths"] == 3)
        return self.task.loss(y, outputs) * tf.where(bad, np.nan, 1.0)


def test_a_nan_loss_stops_the_run_and_names_the_examples(recipe, examples, tmp_path):
    poisoned = replace(recipe, task=Poisoned(recipe.task))
    three = {example.id for example in examples if len(example.transcript) == 3}
    with pytest.raises(ZooError, match="NaN or infinite in epoch 1") as caught:
        train(poisoned, examples[:8], examples[:2], tmp_path / "run")
    named = str(caught.value).partition("Its examples: ")[2].partition(". ")[0].split(", ")
    assert len(named) <= recipe.training.batch_size
    assert three & set(named)


def test_two_devices_give_the_loss_of_one(recipe):
    """The gradients of two replicas add up to those of one."""
    network = recipe.model.training_model(recipe.model.build())
    training_model = TrainingModel(network, recipe.task)
    y = {"labels": tf.constant([[1]]), "label_lengths": tf.constant([1])}
    outputs = {"logits": tf.zeros([1, 4, 28]), "logit_lengths": tf.constant([4])}
    alone = float(training_model.compute_loss(y=y, y_pred=outputs))
    strategy = tf.distribute.MirroredStrategy(["CPU:0"])
    shares = strategy.run(lambda: training_model.compute_loss(y=y, y_pred=outputs))
    assert float(strategy.reduce("SUM", shares, axis=None)) == pytest.approx(alone)


@pytest.mark.slow
def test_overfit_two_utterances(recipe, examples, tmp_path):
    bigger = recipe.override(
        {"model.hidden_size": 64, "model.dropout": 0, "training.epochs": 30}
        | {"optimizer.learning_rate": 5e-3}
    )
    history = overfit(bigger, examples[:2], tmp_path / "run")
    assert best(history, "wer")["wer"] <= overfit_target("wer")


def test_a_deleted_clip_is_left_out(recipe, examples, tmp_path, capsys):
    gone = replace(examples[0], id="gone", audio=tmp_path / "gone.flac")
    model = recipe.model.build()
    batches = recipe.data.batches([gone, *examples[1:4]], recipe.model, model, Epoch(0, 4, 0))
    ids = {id_ for _, _, ids in batches for id_ in ids}
    assert ids == {example.id for example in examples[1:4]}
    assert "Left out of epoch 1" in capsys.readouterr().err
