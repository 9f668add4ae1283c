"""The seal of an export: what is of another model, or is not what was written, is refused."""

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
    """A preset with a sealed export `onnx` in its folder. The files' content is of no matter."""
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


def test_a_whole_one_of_this_model(preset):
    check_seal(preset / "onnx", preset, RECIPE, "onnx")
    (preset / "onnx" / ".DS_Store").touch()  # a file manager's
    check_seal(preset / "onnx", preset, RECIPE, "onnx")


@pytest.mark.parametrize("name", ["model.keras", "recipe.json", "alphabet.txt"])
def test_another_model(preset, name):
    for content in (b"a", b"b", b"c"):
        (preset / name).write_bytes(content)
        line = refused(preset)
        assert f"is an export of another {name} than {preset / name}." in line
        assert line.endswith(f"Export it anew: zoo export '{preset}' --to onnx")


def test_a_folder_of_its_own_has_no_model(preset, tmp_path):
    """What it is of is then told by the recipe alone; the command names the preset and the folder."""
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
        ("flipped", "variables/index is corrupt: it is not what was exported"),
        ("gone", "is not whole: variables/index is missing"),
        ("fifo", "variables/index cannot be read: it is not a regular file"),
        ("endless", "variables/index cannot be read: it is not a regular file"),
        ("more", "has a file that was not exported: step.onnx"),
    ],
)
def test_damage(preset, name, words):
    damage(preset, name)
    line = refused(preset)
    assert words in line
    assert f"xport it anew: zoo export '{preset}' --to onnx" in line


@pytest.mark.parametrize(
    "content", ["", "{", "5", '{"name": "a"}', '{"name": 1, "preset": {}, "files": {}}']
)
def test_a_damaged_seal(preset, content):
    (preset / "onnx" / SEAL_FILE).write_text(content)
    assert "export.json is corrupt" in refused(preset)


def test_no_seal(preset):
    (preset / "onnx" / SEAL_FILE).unlink()
    assert "does not tell which model it is of" in refused(preset)


def test_a_seal_leads_to_no_other_file(preset, tmp_path):
    """Names in it are compared, not opened."""
    path = preset / "onnx" / SEAL_FILE
    found = json.loads(path.read_text())
    (tmp_path / "secret").touch()
    found["files"]["../../../secret"] = found["files"]["model.onnx"]
    path.write_text(json.dumps(found))
    assert "is not whole: ../../../secret is missing" in refused(preset)
