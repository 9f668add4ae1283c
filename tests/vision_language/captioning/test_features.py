"""Tests of the cache of features: values, interruption, damage."""

import shutil

import keras
import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.vision_language.captioning import features
from zoo.vision_language.captioning.features import cache_folder, extract_features
from zoo.vision_language.captioning.images import read_image
from zoo.vision_language.captioning.vgg16 import SHAPE, build_vgg16


@pytest.fixture(scope="module")
def filled(tmp_path_factory, examples):
    """A cache with shards of four images, and its table."""
    folder = tmp_path_factory.mktemp("filled")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ZOO_CACHE", str(folder))
        patch.setattr(features, "SHARD", 4)
        patch.setattr(features, "BATCH", 2)
        table, _, _ = extract_features([example.image for example in examples])
    return folder, table


@pytest.fixture
def cached(filled, tmp_path, monkeypatch):
    """The table of a copy of the cache."""
    folder, table = filled
    shutil.copytree(folder, tmp_path / "cache")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "cache"))
    return table


@pytest.fixture
def decoded(monkeypatch):
    """The names of the images that are decoded."""
    seen = []

    def read(path):
        seen.append(path.name)
        return read_image(path)

    monkeypatch.setattr(features, "read_image", read)
    return seen


def test_features_are_those_of_vgg16(cached, examples, decoded):
    paths = [example.image for example in examples]
    table, rows, errors = extract_features(paths)
    assert (table.shape, table.dtype, errors) == ((9, *SHAPE), np.float16, {})
    assert not decoded
    image = read_image(paths[3])[None].astype(np.float32)
    expected = keras.ops.convert_to_numpy(build_vgg16()({"image": image})["features"])[0]
    np.testing.assert_allclose(table[rows[3]], expected, rtol=2e-3, atol=1e-2)


def test_identical_files_share_a_row(cached, examples, decoded, tmp_path):
    copy = shutil.copy(examples[2].image, tmp_path / "elsewhere.webp")
    table, rows, _ = extract_features([examples[2].image, tmp_path / copy, examples[0].image])
    assert len(table) == 2
    assert list(rows) == [0, 0, 1]
    assert not decoded


def test_only_lost_shards_are_computed_again(cached, examples, decoded):
    shards = sorted(cache_folder().glob("*.npz"))
    assert len(shards) == 3
    with np.load(shards[0]) as file:
        lost = len(file["digests"])
    shards[0].unlink()
    (cache_folder() / ".part-of-a-killed-writer.npz").write_bytes(b"half")
    table, _, _ = extract_features([example.image for example in examples])
    assert len(decoded) == lost
    np.testing.assert_allclose(table, cached, rtol=2e-3, atol=1e-2)


@pytest.mark.parametrize("position", [0.02, 0.5, 0.9])
def test_damaged_shard_is_detected(cached, examples, decoded, capsys, position):
    shard = min(cache_folder().glob("*.npz"), key=lambda path: path.stat().st_size)
    data = bytearray(shard.read_bytes())
    for i in range(64):
        data[int(len(data) * position) + i] ^= 0xFF
    shard.write_bytes(data)
    table, _, _ = extract_features([example.image for example in examples])
    assert decoded
    assert f"{shard} is corrupt" in capsys.readouterr().err
    np.testing.assert_allclose(table, cached, rtol=2e-3, atol=1e-2)


def test_unreadable_images_are_reported(cached, examples, tmp_path):
    text = tmp_path / "text.jpg"
    text.write_text("no image")
    paths = [tmp_path / "none.png", examples[0].image, text]
    table, rows, errors = extract_features(paths)
    assert list(rows >= 0) == [False, True, False]
    np.testing.assert_array_equal(table[rows[1]], cached[0])
    assert "none.png" in errors[paths[0]]
    assert "text.jpg: not a readable image" in errors[text]


def test_cache_folder_must_be_writable(examples, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ZOO_CACHE", str(tmp_path / "file"))
    with pytest.raises(ZooError, match="cannot be written"):
        extract_features([examples[0].image])
