"""Test presets on the hub, with a server on loopback as `HF_ENDPOINT`."""

import json

import pytest

import zoo
from tests.hub_server import commit_of, hub_server
from zoo.common.core.errors import ZooError
from zoo.common.presets import hub, store
from zoo.common.presets.index import PRESETS_VARIABLE
from zoo.common.presets.measurements import read_metrics
from zoo.common.utils.download import OFFLINE_VARIABLE

huggingface_hub = pytest.importorskip("huggingface_hub")
constants = pytest.importorskip("huggingface_hub.constants")

PRESET, ADDRESS, REPOSITORY = "timeseries/ar-laser", "hf://me/laser", "me/laser"
RESTRICTED = "language/bilstm-sst2"


@pytest.fixture
def server(monkeypatch, tmp_path):
    with hub_server() as state:
        monkeypatch.setenv("HF_ENDPOINT", state.url)
        # The library reads HF_ENDPOINT when it is imported.
        template = f"{state.url}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
        monkeypatch.setattr(constants, "ENDPOINT", state.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
        monkeypatch.setenv("HF_TOKEN", "hf_secret")
        monkeypatch.delenv(OFFLINE_VARIABLE, raising=False)
        monkeypatch.delenv(PRESETS_VARIABLE, raising=False)
        yield state


@pytest.fixture
def published(server):
    """Publish a preset, and return the server."""
    zoo.publish(PRESET, to=ADDRESS)
    return server


def refused_load(match, address=ADDRESS):
    with pytest.raises(ZooError, match=match) as caught:
        store.find(address)
    line = str(caught.value)
    assert "\n" not in line
    assert "hf_secret" not in line


def test_published_preset_answers_as_the_local_one(server, run_zoo, capsys):
    answer = run_zoo("publish", PRESET, "--to", ADDRESS, "--json")
    assert answer.status == 0
    assert f"to {ADDRESS} at {server.url}" in answer.err
    files = server.files(REPOSITORY)
    assert answer.json["files"] == sorted(files)
    assert {"README.md", "CARD.md", "metrics.json", "recipe.json", "digests.json"} < set(files)
    loaded = zoo.load(ADDRESS)
    assert f"Downloading {ADDRESS} from {server.url}: " in capsys.readouterr().err
    assert loaded.metrics == zoo.load(PRESET).metrics
    values = [float(i % 7) for i in range(200)]
    (far,), (near,) = (list(preset.predict([values])) for preset in (loaded, zoo.load(PRESET)))
    assert far["output"] == near["output"]
    assert run_zoo("predict", ADDRESS, "--help").status == 0
    assert store.exports_of(loaded.folder).is_relative_to(store.cache() / "exports")


def test_card_has_the_metadata_of_the_hub(published):
    content = published.files(REPOSITORY)["README.md"].decode()
    assert set(published.cards) == {content}
    data = huggingface_hub.ModelCard(content).data
    assert (data.license, data.library_name, data.datasets) == (
        "apache-2.0",
        "keras",
        ["timeseries"],
    )
    assert {"recurrent-zoo", "timeseries"} < set(data.tags)
    test = read_metrics(store.folder_of(PRESET))["figures"]["test"]["metrics"]
    rows = {(row.dataset_split, row.metric_type): row.metric_value for row in data.eval_results}
    assert rows["test", "nmse"] == test["nmse"]
    zoo.publish(RESTRICTED, to="hf://me/sst2")
    data = huggingface_hub.ModelCard(published.cards[-1]).data
    assert (data.license, data.license_name) == ("other", "sst2-terms")


def test_card_that_the_hub_refuses(server, refused):
    server.invalid = "licence is missing"
    assert "the card is invalid: licence is missing" in refused("publish", PRESET, "--to", ADDRESS)
    assert not server.revisions


def test_revisions(published):
    first = published.files(REPOSITORY)
    commit = commit_of(first)
    published.revisions[REPOSITORY]["main"] = first | {"CARD.md": b"# Another card\n"}
    published.revisions[REPOSITORY]["v1"] = first
    for revision, card in (
        ("", b"# Another card\n"),
        ("@v1", first["CARD.md"]),
        (f"@{commit}", None),
    ):
        folder = store.find(ADDRESS + revision)
        assert (folder / "CARD.md").read_bytes() == (card or first["CARD.md"])
    refused_load("it has no such revision", f"{ADDRESS}@v2")


def test_cache_is_used_without_network(published, monkeypatch):
    expected = store.find(ADDRESS)
    before = len(published.requests)
    monkeypatch.setenv(OFFLINE_VARIABLE, "1")
    assert store.find(ADDRESS) == expected
    refused_load("there is no network, and it is not in the cache", "hf://me/other")
    with pytest.raises(ZooError, match="ZOO_OFFLINE forbids"):
        zoo.publish(PRESET, to=ADDRESS)
    assert len(published.requests) == before
    monkeypatch.delenv(OFFLINE_VARIABLE)
    monkeypatch.setenv("HF_ENDPOINT", "http://127.0.0.1:9")
    assert store.find(ADDRESS) == expected
    refused_load("there is no network, and it is not in the cache", "hf://me/other")


def test_unknown_and_private_repositories(published):
    refused_load("there is none, or it is private and you are not logged in", "hf://me/none")
    published.private.add(REPOSITORY)
    refused_load("there is none, or it is private and you are not logged in")


@pytest.mark.parametrize(
    ("name", "content"), [("model.pkl", b"\x80\x04."), ("setup.py", b"exit()"), ("a/b.txt", b"")]
)
def test_files_that_are_no_part_of_a_preset_are_refused(published, name, content):
    published.revisions[REPOSITORY]["main"][name] = content
    refused_load(f"is refused: '{name}' is not a file of a preset")


def test_recipes_that_are_not_those_of_the_zoo(published):
    files = published.revisions[REPOSITORY]["main"]
    recipe = json.loads(files["recipe.json"])
    files["recipe.json"] = json.dumps(recipe | {"name": "os/system"}).encode()
    refused_load("There is no recipe 'os/system'")
    files["recipe.json"] = b"{"
    refused_load("is corrupt: invalid JSON")
    del files["recipe.json"]
    refused_load("is not a preset: it has no recipe.json")


def test_changed_model_is_refused(published):
    files = published.revisions[REPOSITORY]["main"]
    (model,) = (name for name in files if name.startswith("model"))
    files[model] = files[model][:-1] + b"?"
    refused_load(f"{ADDRESS} is corrupt: {model} is not the file that was published")
    files["digests.json"] = b"[1]"
    refused_load("digests.json is invalid")


@pytest.mark.parametrize(
    "address", ["hf://", "hf://name", "hf://a/b/c", "hf://../x", "hf://a/b@", "hf://a/b@../c"]
)
def test_invalid_addresses(server, address):
    refused_load("must be like hf://owner/name@revision", address)
    assert not server.requests


def test_hub_is_not_installed(server, monkeypatch, refused):
    monkeypatch.setitem(
        hub.import_package.__globals__["importlib"].sys.modules, "huggingface_hub", None
    )
    assert "pip install 'recurrent-zoo[hub]'" in refused("predict", ADDRESS, "x")


def test_unknown_preset_and_bad_usage(server, refused):
    assert "There is no preset" in refused("publish", "timeseries/nothing", "--to", ADDRESS)
    assert "must be like hf://owner/name" in refused("publish", PRESET, "--to", "ftp://x")
    assert "Give a run or preset" in refused("publish")
    assert "Give a run or preset" in refused("publish", PRESET, "--index", "x")
    assert not server.requests
