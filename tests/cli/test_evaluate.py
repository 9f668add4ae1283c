"""`zoo evaluate`: splits, runtimes, rows and plots."""

import csv
import json
import shutil

import pytest

from tests.conftest import AN4, AR
from zoo.language.modelling.data import SAMPLE


@pytest.mark.parametrize(
    ("split", "examples"),
    [([], 10), (["--split", "train"], 12), (["--split", "dev"], 4), (["--split", "all"], 22)],
)
def test_evaluate(run_zoo, tiny_run, split, examples):
    answer = run_zoo("evaluate", tiny_run, "--data", AN4, *split, "--json")
    result = answer.json
    trained = result["split"] in ("train", "all")
    warned = f"{tiny_run} was trained on 8 of these {examples} examples" in answer.err
    assert (answer.status, warned, answer.err != "") == (0, trained, trained)
    keys = ["preset", "corpus", "split", "examples", "seconds", "metrics"]
    assert list(result) == keys + ["from_training"] * trained
    assert result["preset"] == str(tiny_run)
    assert result["corpus"] == "an4"
    assert result["split"] == (split[1] if split else "test")
    assert result["examples"] == examples
    assert result["seconds"] > 0
    assert set(result["metrics"]) == {"wer", "cer"}


def test_dev_metrics_are_those_of_the_best_epoch(run_zoo, tiny_run):
    result = run_zoo("evaluate", tiny_run, "--data", AN4, "--split", "dev", "--json").json
    (row,) = csv.DictReader((tiny_run / "metrics.csv").open())
    for metric, value in result["metrics"].items():
        assert value == pytest.approx(float(row[metric]), abs=1e-6)


@pytest.mark.parametrize("split", [None, "train", "dev", "new", "all"])
def test_metrics_on_the_training_data_of_a_manifest_are_marked(
    run_zoo, laser_corpus, tmp_path, split
):
    """Digests identify the examples. Dev is measured by default."""
    values = (laser_corpus / "santafe_A_train.txt").read_text().split()
    splits = ["train"] * 100 + ["dev"] * 25 + ["test"] * 25
    rows = (
        values
        if split in (None, "all")
        else [f"{v},{s}" for v, s in zip(values, splits, strict=True)]
    )
    head = "value" if split in (None, "all") else "value,split"
    manifest, run = tmp_path / "series.csv", tmp_path / "run"
    manifest.write_text("\n".join([head, *rows]) + "\n")
    context = ("--set", "model.context=8", "--out", run)
    assert run_zoo("train", AR, "--manifest", manifest, *context).status == 0
    other = tmp_path / "other.csv"
    other.write_text("\n".join(["value", *values[:60]]) + "\n")
    if split == "new":
        measured = ("--manifest", other)
    else:
        measured = ("--manifest", manifest, *(("--split", split) if split else ()))
    answer = run_zoo("evaluate", run, *measured, "--json")
    assert answer.status == 0, answer.err
    assert answer.json.get("from_training", False) == (split in ("train", "all"))
    if split is None:
        assert answer.json["split"] == "dev"
        assert "only its dev examples are measured" in answer.err
        (row,) = csv.DictReader((run / "metrics.csv").open())
        for metric, value in answer.json["metrics"].items():
            assert value == pytest.approx(float(row[metric]), rel=1e-5)


def test_evaluate_reports(run_zoo, tiny_run):
    text = run_zoo("evaluate", tiny_run, "--data", AN4).out
    for word in ("substituted", "deleted", "inserted", "best", "median", "worst", "wer", "cer"):
        assert word in text


def test_evaluate_takes_the_corpus_from_the_environment(run_zoo, tiny_run, monkeypatch):
    monkeypatch.setenv("ZOO_DATA", str(AN4.parent))
    assert run_zoo("evaluate", tiny_run, "--json").json["examples"] == 10


def test_a_folder_with_only_the_requested_split(run_zoo, tiny_run, tmp_path):
    shutil.copytree(AN4 / "test", tmp_path / "test")
    shutil.copy(AN4 / "utterances.tsv", tmp_path)
    for split in ("test", "all"):
        answer = run_zoo("evaluate", tiny_run, "--data", tmp_path, "--split", split, "--json")
        assert answer.json["examples"] == 10


@pytest.mark.parametrize(("split", "examples"), [(None, 4), ("all", 22), ("train", 12)])
def test_evaluate_a_manifest(run_zoo, tiny_run, split, examples):
    manifest = AN4 / "utterances.tsv"
    chosen = ["--split", split] if split else []
    result = run_zoo("evaluate", tiny_run, "--manifest", manifest, *chosen, "--json").json
    assert result["corpus"] == str(manifest)
    assert result["split"] == (split or "dev")
    assert result["examples"] == examples


def test_evaluate_gives_the_answers_of_predict(run_zoo, refused, tiny_run, tmp_path, clips):
    """This holds in every runtime and with options of the decoder."""
    source = ("--data", AN4, "--json")
    line = refused("evaluate", tiny_run, "--data", AN4, "--backend", "onnx")
    assert "Export the preset first: zoo export" in line
    run = tmp_path / "run"
    shutil.copytree(tiny_run, run)
    assert run_zoo("export", run, "--to", "onnx").status == 0
    rows, figures = {}, {}
    for backend in ("keras", "onnx"):
        file = tmp_path / f"{backend}.jsonl"
        options = ("--backend", backend, "--beam-width", 4)
        answer = run_zoo("evaluate", run, *source, *options, "--rows", file)
        figures[backend] = answer.json["metrics"]
        rows[backend] = {row["id"]: row for row in map(json.loads, file.read_text().splitlines())}
        assert len(rows[backend]) == 10
        (prediction,) = run_zoo("predict", run, clips[0], *options, "--json").json["predictions"]
        assert rows[backend]["an409-fcaw-b"]["output"] == prediction["output"]
    confidence = {
        backend: [row.pop("confidence") for row in rows[backend].values()] for backend in rows
    }
    assert confidence["keras"] == pytest.approx(confidence["onnx"], abs=1e-4)
    assert rows["keras"] == rows["onnx"]
    assert figures["keras"] == figures["onnx"]
    row = rows["keras"]["an409-fcaw-b"]
    assert set(row) == {"id", "reference", "output", "raw", "wer", "cer"}
    assert row["reference"] == "GO"
    assert {path.name for path in tmp_path.iterdir()} == {"run", "keras.jsonl", "onnx.jsonl"}


def test_plots(run_zoo, refused, tiny_run, tmp_path):
    command = ("evaluate", tiny_run, "--data", AN4, "--plots", tmp_path / "deep" / "plots")
    (plot,) = run_zoo(*command, "--json").json["plots"]
    assert plot == str(tmp_path / "deep" / "plots" / "error_rates.png")
    assert plot in run_zoo(*command).out
    line = refused("evaluate", "language/charlstm-hello", "--plots", tmp_path / "other")
    assert line == "zoo: language/charlstm-hello does not support evaluation plots.\n"
    assert not (tmp_path / "other").exists()


def test_rows_cannot_be_written(refused, tiny_run, tmp_path):
    (tmp_path / "file").touch()
    rows = tmp_path / "file" / "rows.jsonl"
    line = refused("evaluate", tiny_run, "--data", AN4, "--rows", rows)
    assert "rows.jsonl cannot be written" in line


def test_a_preset_that_is_not_shipped_is_trained_first(run_zoo, refused, tmp_path, monkeypatch):
    """Later calls use the run. Other verbs train nothing."""
    name, corpus = "language/kn5-ptb", tmp_path / "ptb"
    corpus.mkdir()
    for part in ("train", "valid", "test"):
        shutil.copy(SAMPLE, corpus / f"ptb.{part}.txt")
    monkeypatch.chdir(tmp_path)
    assert f"is missing. Train the recipe: zoo train {name}" in refused("predict", name, "Speak")
    command = ("evaluate", name, "--data", corpus, "--json")
    first, again = run_zoo(*command), run_zoo(*command)
    assert first.json["preset"] == name
    assert first.json["from_training"]
    assert 1 < first.json["metrics"]["perplexity"] < 100
    assert first.err.startswith(
        f"The preset {name} is not shipped. It is trained first, into runs/"
    )
    assert again.json["metrics"] == first.json["metrics"]
    assert again.err == (
        f"The preset {name} is not shipped. Its run runs/language-kn5-ptb is evaluated.\n"
        # The splits are copies of one text here.
        "runs/language-kn5-ptb was trained on 1 of these 1 examples: its metrics on new examples are "
        "probably worse.\n"
    )
