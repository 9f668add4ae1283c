"""Test names, versions and options of served models."""

import shutil
from dataclasses import replace

import pytest

from zoo.common.core.errors import ZooError
from zoo.serving.models import Models
from zoo.serving.settings import Limits, Settings


@pytest.fixture
def versions(tmp_path, hello_export):
    """Return a folder with the version 1, and a function that adds a version."""

    def add(number: int):
        return shutil.copytree(hello_export, tmp_path / "hello" / str(number))

    add(1)
    return tmp_path / "hello", add


def loaded(models: Models) -> list[int]:
    return sorted(models["hello"].versions)


def search_twice(models: Models) -> None:
    """Search as often as a new version needs."""
    models.reload()
    models.reload()


def test_a_new_version_is_loaded_and_a_removed_one_dropped(versions, capfd):
    folder, add = versions
    models = Models(Settings((str(folder),)))
    assert loaded(models) == [1]
    before = models["hello"].version()
    add(3)
    models.reload()
    assert loaded(models) == [1]  # the files may still be copied
    models.reload()
    assert loaded(models) == [1, 3]
    assert models["hello"].version().number == 3
    assert models["hello"].version(1) is before
    shutil.rmtree(folder / "1")
    models.reload()
    assert loaded(models) == [3]
    events = capfd.readouterr().err
    assert '"event": "removed", "model": "hello", "version": 1' in events


def test_a_broken_version_is_reported_and_the_old_one_stays(versions, capfd):
    folder, add = versions
    models = Models(Settings((str(folder),)))
    broken = add(2) / "onnx" / "step.onnx"
    content = broken.read_bytes()
    broken.write_bytes(content[:-1])
    search_twice(models)
    assert loaded(models) == [1]
    assert "corrupt" in models["hello"].errors[2]
    capfd.readouterr()
    search_twice(models)
    assert capfd.readouterr().err == ""  # reported once
    broken.write_bytes(content)
    search_twice(models)
    assert loaded(models) == [1, 2]
    assert not models["hello"].errors


def test_a_version_that_is_damaged_later_stays_loaded(versions):
    folder, _ = versions
    models = Models(Settings((str(folder),)))
    before = models["hello"].version()
    (folder / "1" / "recipe.json").write_text("{")
    search_twice(models)
    assert models["hello"].version() is before
    assert "corrupt" in models["hello"].errors[1]
    shutil.rmtree(folder)
    search_twice(models)
    assert models["hello"].version() is before
    assert "no preset" in models["hello"].errors[None]


def test_an_unavailable_version_is_in_the_status_without_paths(versions, serve):
    folder, add = versions
    (add(2) / "recipe.json").unlink()
    client = serve(presets=(str(folder),))
    search_twice(client.app.state.models)
    good, bad = sorted(
        client.get("/v1/models/hello").json()["model_version_status"],
        key=lambda row: row["version"],
    )
    assert (good["state"], bad["state"]) == ("AVAILABLE", "END")
    assert str(folder) not in bad["status"]["error_message"]


@pytest.mark.slow
def test_savedmodels_of_a_folder_are_versions(hello_savedmodel, tmp_path):
    folder = shutil.copytree(hello_savedmodel, tmp_path / "hello")
    shutil.copytree(folder / "1", folder / "2")
    models = Models(Settings((str(folder),), backend="savedmodel"))
    assert loaded(models) == [1, 2]
    assert models["hello"].version(2).graphs.backend == "savedmodel"


def test_names_must_be_valid_and_different(hello_export):
    for presets, words in (
        ((f"a/b={hello_export}",), "letters, digits"),
        ((f"={hello_export}",), "letters, digits"),
        ((str(hello_export), str(hello_export)), "Two models are called 'hello'"),
        (("language/charlstm-helo",), "language/charlstm-hello"),
        ((), "at least one preset"),
    ):
        with pytest.raises(ZooError, match=words):
            Models(Settings(presets))


def test_a_folder_without_versions_is_refused(tmp_path):
    with pytest.raises(ZooError, match="neither recipe\\.json nor folders of versions"):
        Models(Settings((str(tmp_path),)))


def test_a_corrupt_export_is_refused_at_the_start(hello_export, tmp_path):
    folder = shutil.copytree(hello_export, tmp_path / "hello")
    (folder / "onnx" / "step.onnx").write_bytes(b"broken")
    with pytest.raises(ZooError, match="corrupt"):
        Models(Settings((str(folder),)))


def test_default_options_are_checked(hello_export):
    presets = (str(hello_export),)
    models = Models(Settings(presets, options={"hello": {"length": "3"}}))
    assert models["hello"].version().recipe.decoder.length == 3
    for options, words in (
        ({"hello": {"lenght": 3}}, "no option --lenght"),
        ({"helo": {"length": 3}}, "Did you mean 'hello'"),
    ):
        with pytest.raises(ZooError, match=words):
            Models(Settings(presets, options=options))


def test_settings_must_be_in_their_ranges():
    for change in ({"queue": 0}, {"seconds": 0}, {"body_megabytes": -1}, {"streams": 0}):
        with pytest.raises(ZooError, match="must be"):
            replace(Limits(), **change)
    for change in ({"batch_size": 0}, {"threads": -1}, {"grpc_api": "rest"}, {"poll_seconds": 0}):
        with pytest.raises(ZooError, match="must be"):
            Settings(("x",), **change)
