"""Test that damaged files of models are rejected before memory is allocated for the sizes in them."""

import io
import json
import os
import resource
import shutil
import zipfile
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.core.registry import entry
from zoo.common.presets import store

# Far more memory than these tests need, and less than the sizes in the files.
LIMIT = 200 * 2**20


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    """Return the recipe and the folder of a linear model of eight values."""
    scaling = {"model.context": 8, "model.mean": 0, "model.deviation": 1}
    recipe = entry("timeseries/ar-laser").recipe().override(scaling)
    folder = tmp_path_factory.mktemp("presets") / "ar"
    store.save_model(folder, recipe.model.build(), recipe)
    return recipe, folder


@pytest.fixture
def path(saved, tmp_path) -> Path:
    return shutil.copytree(saved[1], tmp_path / "ar") / "model.keras"


def refused(recipe, path: Path) -> str:
    """Return the error line, and check that little memory was allocated."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(ZooError) as caught:
        recipe.model.load(path)
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 < LIMIT
    assert "\n" not in str(caught.value)
    return str(caught.value)


def rewrite(path: Path, zeros: str = "", **members: bytes) -> None:
    """Replace members of the archive.

    Args:
        path: the archive.
        zeros: name of the member that is replaced by 300 MB of zeros.
        members: new content by the name of the member, without its suffix.
    """
    with zipfile.ZipFile(path) as old:
        content = {name: old.read(name) for name in old.namelist() if name != zeros}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as new:
        for name, value in content.items():
            new.writestr(name, members.get(name.split(".")[0], value))
        if zeros:
            with new.open(zeros, "w") as member:
                for _ in range(300):
                    member.write(bytes(2**20))


def test_zeros(saved, path):
    """A zip archive compresses a gigabyte of zeros to a megabyte."""
    for name in ("model.weights.h5", "config.json", "more.bin"):
        rewrite(path, zeros=name)
        assert "the shapes of its weights differ" in refused(saved[0], path)


def test_zeros_in_place_of_a_large_model(saved, tmp_path):
    """The size fits the recipe, but trained weights do not compress so well."""
    path = tmp_path / "model.keras"
    shutil.copy(saved[1] / "model.keras", path)
    recipe = entry("language/lstm-small-ptb").recipe().override({"model.vocabulary_size": 10**6})
    rewrite(path, zeros="model.weights.h5")
    assert "is corrupt: its compression ratio is too high" in refused(recipe, path)


def test_a_layer_of_a_billion_units(saved, path):
    with zipfile.ZipFile(path) as archive:
        config = json.loads(archive.read("config.json"))
    (dense,) = (item for item in config["config"]["layers"] if item["class_name"] == "Dense")
    dense["config"]["units"] = 10**9
    rewrite(path, config=json.dumps(config).encode())
    assert "the shapes of its weights differ" in refused(saved[0], path)


def weights(path: Path) -> io.BytesIO:
    with zipfile.ZipFile(path) as archive:
        return io.BytesIO(archive.read("model.weights.h5"))


def kernel_of(file: h5py.File) -> str:
    names: list[str] = []
    file.visit(names.append)
    return max(names, key=lambda name: getattr(file[name], "size", 0))


@pytest.mark.parametrize("damage", ["unwritten", "external", "soft link", "external link", "text"])
def test_a_dataset_that_is_not_in_the_file(saved, path, tmp_path, damage):
    content = weights(path)
    (tmp_path / "secret").write_bytes(bytes(64))
    with h5py.File(content, "a") as file:
        name = kernel_of(file)
        del file[name]
        if damage == "unwritten":
            file.create_dataset(name, (10**6, 10**6), "f4", chunks=(1000, 1000))
        elif damage == "external":
            file.create_dataset(name, (8, 1), "f4", external=[(tmp_path / "secret", 0, 32)])
        elif damage == "text":
            file.create_dataset(name, (8, 1), f"S{2**16}", chunks=True)
        elif damage == "soft link":
            file[name] = h5py.SoftLink("/")
        else:
            file[name] = h5py.ExternalLink(tmp_path / "secret", "/")
    rewrite(path, model=content.getvalue())
    line = refused(saved[0], path)
    assert "the shapes of its weights differ" in line or "of its weights" in line


def test_a_recipe_of_a_billion_units(saved, path):
    recipe = saved[0].override({"model.context": 99_999})
    assert "the shapes of its weights differ" in refused(recipe, path)
    recipe = entry("language/lstm-small-ptb").recipe().override({"model.vocabulary_size": 100})
    for size in (10**9, 10**30):
        large = recipe.override({"model.hidden_size": size})
        assert "the shapes of its weights differ" in refused(large, path)
    deep = recipe.override({"model.layers": 10**9})
    assert "model.layers must be at most 1,000. Received: 1000000000." in refused(deep, path)


@pytest.mark.parametrize("kind", ["device", "fifo", "folder"])
def test_not_a_regular_file(saved, path, kind):
    path.unlink()
    if kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.mkdir()
    assert f"{path} cannot be read" in refused(saved[0], path)


def test_declared_weights_equal_those_of_the_model(saved):
    recipe, folder = saved
    model = recipe.model.load(folder / "model.keras")
    assert recipe.model.declared_weights() == [tuple(w.shape) for w in model.weights]
    # The declared weights are not allocated later.
    recipe.override({"model.context": 100_000}).model.declared_weights()
    with keras.StatelessScope():
        pass
    assert np.isfinite(recipe.model.load(folder / "model.keras").get_weights()[0]).all()
