"""Test the index of presets: a folder or a server, from which presets are fetched."""

import json
import shutil

import pytest

import zoo
from tests.publisher import publisher
from zoo.api.sharing import write_index
from zoo.common.core.errors import ZooError
from zoo.common.presets import store
from zoo.common.presets.index import PRESETS_VARIABLE
from zoo.common.utils import download
from zoo.common.utils.download import OFFLINE_VARIABLE
from zoo.common.utils.locks import locked

PRESET, OTHER = "timeseries/ar-laser", "language/charlstm-hello"
TEXT = "language/charlstm-hello"


@pytest.fixture(autouse=True)
def environment(monkeypatch, tmp_path):
    """Start with a clone that has one preset and the metrics of another."""
    shipped, root = store.ROOT, tmp_path / "root"
    for name in (PRESET, OTHER):
        shutil.copytree(shipped / name, root / name)
    monkeypatch.setattr(store, "ROOT", root)
    monkeypatch.setattr(download, "PAUSE", 0.01)
    for variable in ("ZOO_HOME", "ZOO_CACHE"):
        monkeypatch.setenv(variable, str(tmp_path / variable))
    monkeypatch.delenv(OFFLINE_VARIABLE, raising=False)
    monkeypatch.delenv(PRESETS_VARIABLE, raising=False)


@pytest.fixture
def index(tmp_path, run_zoo):
    """Write an index, uninstall a preset, and return the folder of the index."""
    folder = tmp_path / "index"
    assert run_zoo("publish", "--index", folder).out.startswith(f"{folder}: 2 presets, ")
    installed = store.ROOT / PRESET
    for file in installed.iterdir():
        if file.name not in (store.METRICS_FILE, store.CARD_FILE):
            file.unlink()
    return folder


@pytest.fixture
def server(index, monkeypatch):
    files = {
        f"/{path.relative_to(index).as_posix()}": path.read_bytes()
        for path in index.rglob("*")
        if path.is_file()
    }
    with publisher(files=files) as state:
        monkeypatch.setenv(PRESETS_VARIABLE, state.url)
        yield state


def test_index_has_version_size_and_digest(index):
    content = json.loads((index / "index.json").read_text())
    entry = content["presets"][PRESET]
    assert entry["version"] == zoo.__version__
    assert entry["size"] == (index / entry["file"]).stat().st_size
    assert len(entry["sha256"]) == 64
    again = write_index(index, zoo.__version__)  # the index of what is here now
    assert again.presets[OTHER] == content["presets"][OTHER]


def test_missing_preset_is_fetched_from_a_folder(index, monkeypatch, run_zoo, refused):
    line = refused("predict", PRESET, "x")
    assert f"The preset {PRESET!r} is missing. To install it: set ZOO_PRESETS to" in line
    monkeypatch.setenv(PRESETS_VARIABLE, str(index))
    answer = run_zoo("evaluate", PRESET, "--help")
    assert answer.status == 0
    preset = zoo.load(PRESET)
    assert preset.folder == store.fetched() / PRESET
    assert sorted(p.name for p in preset.folder.parent.iterdir()) == [preset.folder.name]
    assert store.state_of(PRESET) == store.SHIPPED
    monkeypatch.delenv(PRESETS_VARIABLE)
    assert zoo.load(PRESET).folder == preset.folder


def test_missing_preset_is_fetched_from_an_address(server, capsys):
    before = zoo.load(OTHER).folder
    assert before.is_relative_to(store.ROOT)  # what is here is not fetched
    assert not server.requests
    zoo.load(PRESET)
    err = capsys.readouterr().err
    assert f"Fetching the preset {PRESET} {zoo.__version__} from {server.url}: " in err
    assert [path for path, _ in server.requests] == ["/index.json", f"/{PRESET}.zip"]
    zoo.load(PRESET)
    assert len(server.requests) == 2


def test_interrupted_fetch_continues(server):
    server.cuts = [10_000_000, 500, *[0] * download.ATTEMPTS]
    with pytest.raises(ZooError, match="The next call continues"):
        zoo.load(PRESET)
    assert not (store.fetched() / PRESET).exists()
    server.cuts = []
    zoo.load(PRESET)
    assert server.requests[-1] == (f"/{PRESET}.zip", "bytes=500-")


def test_offline(server, monkeypatch):
    monkeypatch.setenv(OFFLINE_VARIABLE, "1")
    with pytest.raises(
        ZooError, match=f"The preset '{PRESET}' must be downloaded, which ZOO_OFFLINE"
    ):
        zoo.load(PRESET)
    assert not server.requests


def test_changed_archive_is_refused(server, index, monkeypatch):
    server.files[f"/{PRESET}.zip"] = server.files[f"/{OTHER}.zip"]
    with pytest.raises(ZooError, match="another checksum"):
        zoo.load(PRESET)
    monkeypatch.setenv(PRESETS_VARIABLE, str(index))
    shutil.copyfile(index / f"{OTHER}.zip", index / f"{PRESET}.zip")
    with pytest.raises(ZooError, match="is not the file of the index"):
        zoo.load(PRESET)
    assert not (store.fetched() / PRESET).exists()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b"{" * 5000,
        b'{"format": 2, "presets": {}}',
        b'{"format": 1, "presets": {"../x": {}}}',
        b'{"format": 1, "presets": {"a/b": {"file": "../b", "version": "1", "size": 1, "sha256": ""}}}',
    ],
)
def test_invalid_index(server, content):
    server.files["/index.json"] = content
    with pytest.raises(ZooError, match="is not an index of presets"):
        zoo.load(PRESET)


def test_unreachable_index_and_web_page(server):
    server.files["/index.json"] = b"<html>log in</html>"
    with pytest.raises(ZooError, match="sent a web page"):
        zoo.load(PRESET)
    del server.files["/index.json"]
    with pytest.raises(ZooError, match="status 404"):
        zoo.load(PRESET)


def test_preset_that_the_index_does_not_have(server):
    content = json.loads(server.files["/index.json"])
    del content["presets"][PRESET]
    server.files["/index.json"] = json.dumps(content).encode()
    with pytest.raises(ZooError, match="To install it"):
        zoo.load(PRESET)


def test_two_processes(server):
    folder = store.fetched() / PRESET
    with locked(folder.with_name(f".{folder.name}.lock")), pytest.raises(ZooError, match="in use"):
        zoo.load(PRESET)
