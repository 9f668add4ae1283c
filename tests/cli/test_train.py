"""`zoo train`: runs on a corpus and on data of one's own, from scratch and from a preset."""

import csv
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import zoo
from tests.conftest import AN4, RECIPE, RUN_FILES, TINY, TINY_MODEL, TINY_TRAINING, settings
from zoo.cli.sources import find_source, read_split, read_train, read_train_and_dev
from zoo.cli.start_from import start_from
from zoo.common.core.registry import entry
from zoo.common.tasks.ctc import CTC

TEXTS = ("ja", "öl für wände")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.fixture
def own_csv(tmp_path, clips) -> Path:
    """Recordings of one's own: lower case, umlauts, no speakers."""
    path = tmp_path / "own.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(
            [("wav_filename", "transcript"), *zip(clips, TEXTS, strict=True)]
        )
    return path


@pytest.fixture
def own_json(tmp_path, clips) -> Path:
    path = tmp_path / "own.jsonl"
    rows = [{"audio_filepath": c, "text": t} for c, t in zip(clips, TEXTS, strict=True)]
    path.write_text("\n".join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


@pytest.fixture
def table(tmp_path):
    """A manifest in AN4's layout: the splits of its lines renamed by a function of the line."""

    def write(rename) -> Path:
        header, *lines = (AN4 / "utterances.tsv").read_text().splitlines()
        rows = [rename(line).split("\t") for line in lines]
        for row in rows:  # the audio stands below the folder of its split
            folder = tmp_path / row[header.split("\t").index("split")]
            if not folder.exists():
                shutil.copytree(AN4 / "test", folder)
                shutil.copytree(AN4 / "train", folder, dirs_exist_ok=True)
        path = tmp_path / "own.tsv"
        path.write_text("\n".join([header, *map("\t".join, rows)]))
        return path

    return write


def test_train_leaves_a_run(tiny_run):
    assert names(tiny_run) == RUN_FILES
    record = json.loads((tiny_run / "run.json").read_text())
    assert record["examples"] == {"train": 8, "dev": 4}
    assert record["recipe"]["training"]["seed"] == 0
    assert {"versions", "commit", "date", "data_checksum", "recipe"} <= set(record)


def test_own_recordings_from_scratch(run_zoo, tmp_path, own_csv, own_json, clips):
    out = tmp_path / "run"
    source = ("--manifest", own_json, "--dev-manifest", own_csv)
    answer = run_zoo("train", RECIPE, *source, "--out", out, *TINY, "--json")
    assert answer.status == 0
    assert set(answer.json) == {"run", "recipe", "epochs", "best"}
    assert answer.json["run"] == str(out)
    assert answer.json["epochs"] == 1
    assert "wer" in answer.json["best"]
    assert answer.err.startswith("epoch 1/1  loss ")
    assert json.loads((out / "run.json").read_text())["examples"] == {"train": 2, "dev": 2}
    letters = sorted(set("".join(TEXTS)))
    assert (out / "alphabet.txt").read_text("utf-8").split("\n") == ["<blank>", *letters, ""]
    predictions = run_zoo("predict", out, *clips, "--json").json["predictions"]
    assert all(set(p["output"]) <= set(letters) for p in predictions)
    result = run_zoo("evaluate", out, "--manifest", own_json, "--json").json
    assert result["examples"] == 2


# Splits of a manifest -----------------------------------------------------------------------------


def read(manifest: Path, function, *arguments):
    resident = entry(RECIPE)
    source = find_source(None, manifest, resident.corpus)
    return function(resident.recipe(), resident.corpus, source, *arguments)


def test_a_manifest_with_splits():
    examples = read(AN4 / "utterances.tsv", read_train_and_dev)
    assert (len(examples.train), len(examples.dev)) == (8, 4)  # dev is split off train
    assert examples.left_out == {"of the split 'test'": 10}


@pytest.mark.parametrize("dev_split", ["dev", "valid"])
def test_a_manifest_with_a_dev_split(table, dev_split):
    manifest = table(lambda line: line.replace("test", dev_split) if "fcaw" in line else line)
    examples = read(manifest, read_train_and_dev)
    assert len(examples.train) == 12
    assert {example.split for example in examples.dev} == {dev_split}
    assert examples.left_out == {"of the split 'test'": 10 - len(examples.dev)}
    assert read(manifest, read_split, "dev") == examples.dev
    # Where dev is given otherwise, that split is left out as well.
    assert sum(read(manifest, read_train).left_out.values()) == 10


def test_a_manifest_without_a_train_split(refused, table, tmp_path):
    manifest = table(lambda line: line.replace("train", "mine"))
    line = refused("train", RECIPE, "--manifest", manifest, "--out", tmp_path / "run")
    assert "There are: 'mine', 'test', 'all'. Received: 'train'." in line


# --init -------------------------------------------------------------------------------------------


def test_init_starts_from_the_weights_of_a_run(run_zoo, tmp_path, table, tiny_run):
    """And the train split of a manifest is trained on alone."""
    out = tmp_path / "run"
    manifest = table(
        lambda line: (
            line.replace("test", "train") if "fcaw" in line else line.replace("train", "mine")
        )
    )
    still = settings(*TINY_TRAINING, "optimizer.learning_rate=1e-12", "model.dropout=0.4")
    source = ("--manifest", manifest, "--init", tiny_run)
    answer = run_zoo("train", RECIPE, *source, "--out", out, *still)
    assert answer.status == 0
    # The shape comes from the run, and it is said; dropout does not belong to it.
    kept = "model.layers=1, model.hidden_size=16, model.conv_filters=4"
    cut_line, kept_line, *left_out, epoch = answer.err.splitlines()
    assert "dev is cut by utterance" in cut_line  # one speaker is left
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
    """Another shape of weights, another pace, another spectrum: all are told from dropout."""
    source = ("--data", AN4, "--init", tiny_run, "--out", tmp_path / "run")
    key = setting.partition("=")[0]
    assert f"--set {key} with --init" in refused("train", RECIPE, *source, *settings(setting))
    assert not (tmp_path / "run").exists()


# --overfit, --resume ------------------------------------------------------------------------------


def test_overfit_learns_what_it_is_given(run_zoo, tmp_path):
    out = tmp_path / "run"
    quick = settings(
        *TINY_MODEL,
        *TINY_TRAINING[1:],
        "training.epochs=8",
        "optimizer.learning_rate=0.02",
        "optimizer.warmup_epochs=0",
        "model.dropout=0",
        "training.batch_size=1",
    )
    source = ("--data", AN4, "--overfit", 1)
    answer = run_zoo("train", RECIPE, *source, "--out", out, *quick, "--json")
    assert answer.status == 0
    assert answer.json["best"]["wer"] == 0


def test_resume_after_ctrl_c_in_the_first_epoch(run_zoo, refused, tmp_path, own_csv, monkeypatch):
    def interrupted(*_):
        raise KeyboardInterrupt

    out = tmp_path / "run"
    source = ("--manifest", own_csv, "--dev-manifest", own_csv)
    command = ("train", RECIPE, *source, "--out", out, *TINY)
    with monkeypatch.context() as patch:
        patch.setattr(CTC, "evaluate", interrupted)
        assert refused(*command, status=130) == "zoo: interrupted\n"
    assert "exists already" in refused(*command)
    resumed = run_zoo(*command, "--resume", "--json")
    assert resumed.json["epochs"] == 1
    assert names(out) == RUN_FILES
    # Letters of the dev clip, split off the manifest, are in the alphabet too.
    assert set((out / "alphabet.txt").read_text("utf-8")) >= set("".join(TEXTS))
    # What is finished is answered from the record.
    again = run_zoo(*command, "--resume", "--json")
    assert again.json == resumed.json


def test_init_takes_every_kind_of_dropout_from_the_command():
    """Answers do not depend on them: they are no part of the shape that the weights fit."""
    name = "language/charlstm-hello"
    dropout = {"model.recurrent_dropout": 0.25, "model.dropout": 0.125}
    recipe, kept = start_from(entry(name).recipe().override(dropout), name, dropout)
    assert (recipe.model.recurrent_dropout, recipe.model.dropout) == (0.25, 0.125)
    assert not any("dropout" in key for key in kept)


def test_a_text_of_ones_own_is_no_test_split(refused):
    source = ("--manifest", "zoo/language/samples/hello.txt", "--split", "test")
    line = refused("evaluate", "language/charlstm-hello", *source)
    assert "There are: 'all'. Received: 'test'." in line
