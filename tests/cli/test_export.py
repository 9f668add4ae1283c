"""`zoo export`: files in the folder of a preset, or in another folder."""

import json
import shutil
import sys
from pathlib import Path

import keras
import pytest
import tensorflow as tf

from zoo.common.utils.locks import LOCK_FILE, locked
from zoo.timeseries.forecasting.data import SAMPLE


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
    assert [f"zoo: {error}\n" for error in answer.json["errors"]] == [answer.err]
    assert answer.err.startswith("zoo: The litert file of 'model' differs from the Keras model by")
    assert answer.err.count("\n") == 1
    assert names(tmp_path) == {"onnx", "recipe.json", "alphabet.txt"}
    assert "already exists" in refused("export", tiny_run, "--to", "onnx", "--out", tmp_path)


def test_a_missing_package_is_reported_before_anything_is_written(
    refused, tiny_run, tmp_path, monkeypatch
):
    from zoo.api import export

    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    monkeypatch.setattr(export, "import_tensorflow", lambda: pytest.fail("TensorFlow was loaded"))
    line = refused("export", tiny_run, "--to", "savedmodel,onnx", "--out", tmp_path / "out")
    assert line == "zoo: onnxruntime is not installed: pip install 'recurrent-zoo[onnx]'\n"
    assert not (tmp_path / "out").exists()


def test_a_model_without_exports(refused, tmp_path):
    line = refused("export", "language/kn5-ptb", "--to", "onnx", "--out", tmp_path / "out")
    assert line.startswith("zoo: language/kn5-ptb has no exports, because it is not a Keras model")
    assert not (tmp_path / "out").exists()


def test_tensorrt_is_no_backend_and_says_why(refused, tiny_run):
    line = refused("predict", tiny_run, "x.wav", "--backend", "tensorrt")
    assert "need TensorRT-RTX and an NVIDIA GPU" in line
    assert "'onnx', 'litert'" in line


def test_another_preset_is_not_overwritten(refused, tiny_run, tmp_path):
    shutil.copy(tiny_run / "alphabet.txt", tmp_path)
    recipe = json.loads((tiny_run / "recipe.json").read_text())
    recipe["training"]["epochs"] += 1
    (tmp_path / "recipe.json").write_text(json.dumps(recipe))
    line = refused("export", tiny_run, "--to", "onnx", "--out", tmp_path)
    assert "contains another preset" in line
    assert names(tmp_path) == {"alphabet.txt", "recipe.json"}


# An export is of one model, and whole -------------------------------------------------------------


@pytest.fixture
def run(ar_run, tmp_path) -> Path:
    """A run to be exported and trained on."""
    return shutil.copytree(ar_run, tmp_path / "run")


def change_weights(run: Path) -> None:
    """As a further epoch does."""
    model = keras.saving.load_model(run / "model.keras")
    model.set_weights([weight * 0.5 for weight in model.get_weights()])
    model.save(run / "model.keras")


def test_an_export_of_older_weights_is_refused_and_replaced(run_zoo, refused, run):
    command = ("export", run, "--to", "onnx")
    forecast = ("predict", run, SAMPLE, "--backend", "onnx")
    assert run_zoo(*command).status == 0
    before = run_zoo(*forecast).out
    assert "already exists" in refused(*command)
    change_weights(run)
    line = refused(*forecast)
    assert "was exported from another model.keras than" in line
    assert line.endswith(f"Export it again: zoo export {run} --to onnx\n")
    assert run_zoo(*command).status == 0
    assert run_zoo(*forecast).out != before
    assert not list(run.rglob(".*"))


def test_flipped_bytes_of_weights_are_refused(run_zoo, refused, run):
    """They would change answers, and no runtime notices."""
    assert run_zoo("export", run, "--to", "onnx,litert").status == 0
    for path in (run / "onnx" / "model.onnx", run / "litert" / "model.tflite"):
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 0xFF
        path.write_bytes(content)
        line = refused("predict", run, SAMPLE, "--backend", path.parent.name)
        assert f"{path} is corrupt: it differs from the exported file. Export it again" in line


def test_two_runs_do_not_mix_in_one_folder(run_zoo, refused, run, tmp_path):
    out = tmp_path / "out"
    assert run_zoo("export", run, "--to", "onnx", "--out", out).status == 0
    change_weights(run)
    line = refused("export", run, "--to", "litert", "--out", out)
    assert f"{out / 'onnx'} was exported from another model than {run}" in line
    assert "litert" not in names(out)
    assert run_zoo("export", run, "--to", "litert,onnx", "--out", out).status == 0
    assert names(out) >= {"onnx", "litert", "recipe.json"}


def test_other_files_are_not_replaced(refused, run):
    (run / "onnx").mkdir()
    (run / "onnx" / "mine.txt").touch()
    assert "is not an export" in refused("export", run, "--to", "onnx")
    assert names(run / "onnx") == {"mine.txt"}


def test_a_folder_that_another_process_writes_to(refused, run, tmp_path):
    """Not into it, and not from a run that is being trained."""
    with locked(run / LOCK_FILE):
        for out in ((), ("--out", tmp_path / "out")):
            assert "in use" in refused("export", run, "--to", "onnx", *out)
    assert not (tmp_path / "out").exists()


def test_a_full_disk_leaves_nothing(refused, run, tmp_path, monkeypatch):
    """Wherever the converter puts what it makes on the way."""

    def full(*_):
        message = f"{tmp_path}; No space left on device [Op:SaveV2]"
        raise tf.errors.ResourceExhaustedError(None, None, message)

    monkeypatch.setattr(tf.saved_model, "save", full)
    before = names(run)
    for format_ in ("litert", "savedmodel"):
        line = refused("export", run, "--to", format_)
        assert "cannot be written: No space left on device." in line
        assert str(run) in line
    assert names(run) == before
