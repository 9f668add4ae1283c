"""The description of an installation."""

from importlib import metadata

import numpy
import pytest

from zoo.api import doctor as module
from zoo.api.doctor import BROKEN, MISSING, OK, doctor


@pytest.fixture
def rows(monkeypatch, tmp_path):
    """Return a function that returns the rows by part and name, for given libraries."""
    (tmp_path / "zoo_data" / "an4").mkdir(parents=True)
    (tmp_path / "broken.py").write_text("raise OSError('libx.so is missing')")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ZOO_DATA", str(tmp_path / "zoo_data"))
    monkeypatch.setenv("ZOO_PRESETS", "https://user:secret@example.org")
    monkeypatch.setattr(
        module,
        "LIBRARIES",
        (("numpy", "numpy", "arrays"), ("broken", "soundfile", "x"), ("none", "no-such", "y")),
    )
    return {(row["part"], row["name"]): row for row in doctor()}


def test_versions_and_libraries(rows):
    assert rows["version", "recurrent-zoo"]["state"] == metadata.version("recurrent-zoo")
    assert rows["library", "numpy"]["state"] == numpy.__version__
    assert rows["library", "no-such"]["state"] == MISSING
    broken = rows["library", "soundfile"]
    assert broken["state"] == BROKEN
    assert "libx.so is missing" in broken["note"]


def test_codecs_extras_and_corpora(rows):
    assert rows["codec", "FLAC"]["state"] == OK
    assert rows["extra", "onnx"]["state"] == OK
    assert rows["folder", "corpora"] == {
        "part": "folder",
        "name": "corpora",
        "state": "1",
        "note": "~/zoo_data; an4",
    }


def test_nothing_private(rows, tmp_path):
    assert rows["variable", "ZOO_PRESETS"]["state"] == "set"
    assert not any("secret" in str(row) or str(tmp_path) in str(row) for row in rows.values())
