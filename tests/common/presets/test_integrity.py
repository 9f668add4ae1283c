"""Test that exports of another model and damaged exports are rejected."""

import json
import os
import shutil
from pathlib import Path

import pytest

from zoo.common.core.errors import ExportError
from zoo.common.core.registry import entry
from zoo.common.presets import store
from zoo.common.presets.integrity import SEAL_FILE, check_seal, seal

RECIPE = entry("speech/bilstm-ctc-an4").recipe()


@pytest.fixture
def preset(tmp_path) -> Path:
    """Return a preset with an export `onnx` in its folder. The content of its files is arbitrary."""
    folder = tmp_path / "runs" / "my an4"
    export = folder / "onnx"
    (export / "variables").mkdir(parents=True)
    store.save_recipe(folder, RECIPE)
    (folder / "model.keras").write_bytes(b"weights")
    (export / "model.onnx").write_bytes(b"graph")
    (export / "variables" / "index").write_bytes(b"more")
    seal(export, folder, RECIPE, str(folder))
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(ExportError) as caught:
        check_seal(folder / "onnx", folder, RECIPE, "onnx")
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_complete_export_of_the_model(preset):
    check_seal(preset / "onnx", preset, RECIPE, "onnx")
    (preset / "onnx" / ".DS_Store").touch()  # written by a file manager
    check_seal(preset / "onnx", preset, RECIPE, "onnx")


@pytest.mark.parametrize("name", ["model.keras", "recipe.json", "alphabet.txt"])
def test_another_model(preset, name):
    for content in (b"a", b"b", b"c"):
        (preset / name).write_bytes(content)
        line = refused(preset)
        assert f"was exported from another {name} than {preset / name}." in line
        assert line.endswith(f"Export it again: zoo export '{preset}' --to onnx")


def test_an_export_in_another_folder(preset, tmp_path):
    """The folder has the recipe, but not the model. The command names the preset and the folder."""
    out = shutil.copytree(preset, tmp_path / "out")
    (out / "model.keras").unlink()
    check_seal(out / "onnx", out, RECIPE, "onnx")
    (out / "alphabet.txt").write_text("other")
    with pytest.raises(ExportError) as caught:
        check_seal(out / "onnx", out, RECIPE, "onnx")
    assert str(caught.value).endswith(f"zoo export '{preset}' --to onnx --out {out}")


def damage(preset: Path, name: str) -> None:
    path = preset / "onnx" / "variables" / "index"
    if name == "flipped":
        path.write_bytes(bytes([path.read_bytes()[0] ^ 1]) + path.read_bytes()[1:])
    elif name == "gone":
        path.unlink()
    elif name == "fifo":
        path.unlink()
        os.mkfifo(path)
    elif name == "endless":
        path.unlink()
        path.symlink_to("/dev/zero")
    elif name == "more":
        (preset / "onnx" / "step.onnx").touch()


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("flipped", "variables/index is corrupt: it differs from the exported file"),
        ("gone", "is incomplete: variables/index is missing"),
        ("fifo", "variables/index cannot be read: it is not a regular file"),
        ("endless", "variables/index cannot be read: it is not a regular file"),
        ("more", "has a file that was not exported: step.onnx"),
    ],
)
def test_damage(preset, name, words):
    damage(preset, name)
    line = refused(preset)
    assert words in line
    assert f"xport it again: zoo export '{preset}' --to onnx" in line


@pytest.mark.parametrize(
    "content", ["", "{", "5", '{"name": "a"}', '{"name": 1, "preset": {}, "files": {}}']
)
def test_corrupt_digests(preset, content):
    (preset / "onnx" / SEAL_FILE).write_text(content)
    assert "export.json is corrupt" in refused(preset)


def test_missing_digests(preset):
    (preset / "onnx" / SEAL_FILE).unlink()
    assert "so that its model is unknown" in refused(preset)


def test_digests_of_files_outside_the_export(preset, tmp_path):
    """Their names are compared, and not opened."""
    path = preset / "onnx" / SEAL_FILE
    found = json.loads(path.read_text())
    (tmp_path / "secret").touch()
    found["files"]["../../../secret"] = found["files"]["model.onnx"]
    path.write_text(json.dumps(found))
    assert "is incomplete: ../../../secret is missing" in refused(preset)
