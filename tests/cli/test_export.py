"""`zoo export`: files beside a preset or in a folder of their own."""

import json
import shutil
from pathlib import Path


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_export(run_zoo, tiny_run, tmp_path):
    command = ("export", tiny_run, "--to", "savedmodel", "--out", tmp_path / "out")
    answer = run_zoo(*command, "--json")
    assert set(answer.json) == {"preset", "files"}
    (file,) = answer.json["files"]
    assert file["format"] == "savedmodel"
    assert Path(file["path"], "saved_model.pb").is_file()
    assert file["max_difference"] <= file["tolerance"]


def test_a_format_that_fails_does_not_stop_the_others(
    run_zoo, refused, tiny_run, tmp_path, monkeypatch
):
    from zoo.common.export import litert

    monkeypatch.setattr(litert, "TOLERANCE", -1.0)
    command = ("export", tiny_run, "--to", "litert,onnx", "--out", tmp_path)
    answer = run_zoo(*command, "--json")
    assert answer.status == 1
    assert [file["format"] for file in answer.json["files"]] == ["onnx"]
    assert answer.err.startswith("zoo: The litert file of 'model' differs from the Keras model by")
    assert answer.err.count("\n") == 1
    assert names(tmp_path) == {"onnx", "recipe.json", "alphabet.txt"}
    assert "exists already" in refused("export", tiny_run, "--to", "onnx", "--out", tmp_path)


def test_another_preset_is_not_overwritten(refused, tiny_run, tmp_path):
    shutil.copy(tiny_run / "alphabet.txt", tmp_path)
    recipe = json.loads((tiny_run / "recipe.json").read_text())
    recipe["training"]["epochs"] += 1
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    line = refused("export", tiny_run, "--to", "onnx", "--out", tmp_path)
    assert "holds another preset" in line
    assert names(tmp_path) == {"alphabet.txt", "recipe.json"}
