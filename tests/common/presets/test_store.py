"""Test where presets are: in the user's folder, in the zoo, in a package, or nowhere."""

from types import SimpleNamespace

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.presets import store

NAME = "speech/mine"


@pytest.fixture
def roots(monkeypatch, tmp_path):
    """Return the folders of the user's and of the shipped presets."""
    monkeypatch.setenv("ZOO_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(store, "ROOT", tmp_path / "shipped")
    return tmp_path / "home" / "saved_models", tmp_path / "shipped"


def add(root, name=NAME, file=store.RECIPE_FILE):
    (root / name).mkdir(parents=True, exist_ok=True)
    (root / name / file).write_text("{}")


def test_the_state_of_a_preset(roots):
    own, shipped = roots
    assert store.state_of(NAME) == store.NONE
    assert store.how_to_get(NAME) == f"zoo train {NAME}"
    add(shipped, file=store.METRICS_FILE)
    assert store.state_of(NAME) == store.NOT_INSTALLED
    assert "ZOO_PRESETS" in store.how_to_get(NAME)
    add(shipped)
    assert store.state_of(NAME) == store.SHIPPED
    add(own)
    assert store.state_of(NAME) == store.OWN


def test_the_names_of_presets(roots):
    own, shipped = roots
    assert store.names() == []
    add(own)
    add(shipped)
    add(shipped, "language/a")
    add(shipped, "language/.temporary")
    add(shipped, "language/metrics-only", store.METRICS_FILE)
    assert store.names() == ["language/a", NAME]


def test_the_user_s_preset_precedes_the_shipped_one(roots):
    own, shipped = roots
    add(shipped)
    assert store.folder_of(NAME) == shipped / NAME
    add(own)
    assert store.folder_of(NAME) == own / NAME


def test_the_destination_of_a_publication(roots, monkeypatch):
    own, shipped = roots
    assert store.destination(NAME) == shipped / NAME
    monkeypatch.setattr(store, "ROOT", store._INSTALLED)
    assert store.destination(NAME) == own / NAME


def test_the_folder_of_exports(roots, monkeypatch, tmp_path):
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    assert store.exports_of(tmp_path / "runs" / "a") == tmp_path / "runs" / "a"
    installed = store._INSTALLED / "speech" / "a"
    assert store.exports_of(installed) == tmp_path / "cache" / "exports" / "speech" / "a"


def test_an_unknown_home_folder(monkeypatch):
    def unknown():
        raise RuntimeError

    monkeypatch.delenv("ZOO_HOME", raising=False)
    monkeypatch.delenv("ZOO_CACHE", raising=False)
    monkeypatch.setattr(store, "Path", SimpleNamespace(home=unknown))
    for folder, variable in ((store.home, "ZOO_HOME"), (store.cache, "ZOO_CACHE")):
        with pytest.raises(ZooError, match=f"Set HOME, or {variable} to a folder"):
            folder()
