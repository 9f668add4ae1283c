"""`zoo export --precision`: smaller files that are as good, or none."""

import json
from pathlib import Path

import pytest

from tests.conftest import AN4
from zoo.common.runtime import open_graphs


@pytest.fixture(scope="module")
def exported(tiny_run, tmp_path_factory) -> tuple[Path, list[dict]]:
    """Return a folder with the exports of a tiny model to ONNX in two precisions, and their rows."""
    import zoo

    folder = tmp_path_factory.mktemp("exported") / "out"
    rows = []
    for precision in ("float16", "int8"):
        rows += zoo.export(tiny_run, "onnx", folder, precision=precision, data=AN4).files
    return folder, rows


def test_rows_and_records(exported):
    folder, rows = exported
    assert [row["precision"] for row in rows] == ["float16", "int8"]
    for row, name in zip(rows, ("onnx-float16", "onnx-int8"), strict=True):
        assert Path(row["path"]) == folder / name / "model.onnx"
        assert row["bytes"] == Path(row["path"]).stat().st_size
        assert row["max_difference"] <= row["tolerance"]
        signature = json.loads((folder / name / "signature.json").read_text())
        assert signature["precision"] == row["precision"]
        record = json.loads((folder / name / "export.json").read_text())
        assert set(record["files"]) == {"model.onnx", "signature.json"}
    assert rows[1]["metric"] == "wer"
    assert rows[1]["figure"] - rows[1]["keras_figure"] <= 0.005


def test_predict_and_evaluate(exported, run_zoo):
    folder, _ = exported
    clip = next(AN4.rglob("*.flac"), None) or next(AN4.rglob("*.wav"))
    answer = run_zoo("predict", folder, clip, "--json", "--backend", "onnx-int8")
    assert answer.status == 0
    assert "output" in answer.json["predictions"][0]
    command = ("evaluate", folder, "--data", AN4, "--split", "dev", "--json")
    assert "wer" in run_zoo(*command, "--backend", "onnx-int8").json["metrics"]
    assert open_graphs("onnx-float16", folder).backend == "onnx-float16"


def test_a_damaged_file(exported, refused):
    folder, _ = exported
    path = folder / "onnx-int8" / "model.onnx"
    content = path.read_bytes()
    try:
        path.write_bytes(content[:-1])
        line = refused("predict", folder, "x.wav", "--backend", "onnx-int8")
    finally:
        path.write_bytes(content)
    assert "differs from the exported file" in line
    assert "--to onnx --precision int8 --out" in line


def test_a_worse_file_is_removed(refused, tiny_run, tmp_path, monkeypatch):
    monkeypatch.setattr("zoo.common.export.quality.MAX_EXPORT_LOSS", -1.0)
    command = ("export", tiny_run, "--to", "onnx", "--precision", "int8", "--data", AN4)
    line = refused(*command, "--out", tmp_path / "out")
    assert "The onnx-int8 export has wer" in line
    assert "It was removed." in line
    assert not (tmp_path / "out" / "onnx-int8").exists()


def test_not_exported(refused, tiny_run):
    line = refused("predict", tiny_run, "x.wav", "--backend", "litert-int8")
    assert f"zoo export {tiny_run} --to litert --precision int8" in line


@pytest.mark.parametrize("format_", ["savedmodel", "tensorrt"])
def test_formats_with_one_precision(refused, tiny_run, tmp_path, format_):
    command = (
        "export",
        tiny_run,
        "--to",
        format_,
        "--precision",
        "int8",
        "--out",
        tmp_path / "out",
    )
    line = refused(*command)
    assert f"precision must be 'float32' for {format_}" in line
    assert "Received: 'int8'" in line
    assert not (tmp_path / "out").exists()


def test_an_unknown_precision(refused, tiny_run):
    line = refused("export", tiny_run, "--to", "onnx", "--precision", "int4")
    assert "precision must be one of 'float32', 'float16', 'int8'. Received: 'int4'." in line


def test_a_model_without_matrices(refused, ar_run, laser_corpus, tmp_path):
    command = ("export", ar_run, "--to", "onnx", "--precision", "int8", "--data", laser_corpus)
    line = refused(*command, "--out", tmp_path / "out")
    assert "has no recurrent or dense layer with 1024 weights" in line
    assert not (tmp_path / "out" / "onnx-int8").exists()


def test_int8_without_examples(refused, ar_run, tmp_path, monkeypatch):
    monkeypatch.delenv("ZOO_DATA", raising=False)
    line = refused("export", ar_run, "--to", "onnx", "--precision", "int8", "--out", tmp_path / "o")
    assert "was not found" in line
    assert not (tmp_path / "o" / "onnx-int8").exists()
