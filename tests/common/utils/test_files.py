"""Files and folders that are whole or not there."""

import errno
import os
import stat
from pathlib import Path

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.utils.files import atomic_file, atomic_folder, read_text, write_text


def everything_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_a_file_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "deep" / "er" / "a.npz"
    with atomic_file(path) as temporary:
        assert temporary.suffix == ".npz"
        assert temporary.parent == path.parent
        temporary.write_text("whole")
        assert not path.exists()
    assert path.read_text() == "whole"
    assert stat.S_IMODE(path.stat().st_mode) == 0o644
    assert everything_below(tmp_path) == {"deep", "deep/er", "deep/er/a.npz"}


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, ZooError])
def test_what_fails_leaves_the_old_file(tmp_path, error):
    def fail():
        with atomic_file(path) as temporary:
            temporary.write_text("half")
            raise error

    path = tmp_path / "a.txt"
    write_text(path, "old")
    with pytest.raises(error):
        fail()
    assert path.read_text() == "old"
    assert everything_below(tmp_path) == {"a.txt"}


@pytest.mark.parametrize("write", [atomic_file, atomic_folder])
def test_what_fails_leaves_no_folder(tmp_path, write):
    (tmp_path / "mine").mkdir()
    with pytest.raises(RuntimeError), write(tmp_path / "mine" / "a" / "b" / "c"):
        raise RuntimeError
    assert everything_below(tmp_path) == {"mine"}


def test_what_others_wrote_meanwhile_stays(tmp_path):
    def fail():
        with atomic_file(tmp_path / "a" / "b.txt"):
            (tmp_path / "a" / "theirs.txt").write_text("theirs")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert everything_below(tmp_path) == {"a", "a/theirs.txt"}


@pytest.mark.parametrize("write", [atomic_file, atomic_folder])
def test_a_full_disk_is_told_in_words(tmp_path, write):
    path = tmp_path / "a" / "b"
    with (
        pytest.raises(ZooError, match=r"b cannot be written: No space left on device\.$"),
        write(path),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert everything_below(tmp_path) == set()


@pytest.mark.parametrize("write", [atomic_file, atomic_folder])
@pytest.mark.parametrize("name", ["file/a", "file/a/b", "n" * 300])
def test_a_place_that_cannot_be_written(tmp_path, write, name):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ZooError, match="cannot be written"), write(tmp_path / name):
        pass
    assert everything_below(tmp_path) == {"file"}


def test_a_folder_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "deep" / "folder"
    with atomic_folder(path) as temporary:
        (temporary / "a.txt").write_text("whole")
        assert not path.exists()
    assert everything_below(tmp_path) == {"deep", "deep/folder", "deep/folder/a.txt"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_a_folder_is_not_replaced(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(ZooError, match="a exists already"), atomic_folder(tmp_path / "a"):
        pytest.fail("the block must not run")
    assert everything_below(tmp_path) == {"a"}


def test_text_comes_back(tmp_path):
    write_text(tmp_path / "a.txt", "öl\nß\n")
    assert (tmp_path / "a.txt").read_bytes() == "öl\nß\n".encode()
    assert read_text(tmp_path / "a.txt") == "öl\nß\n"


def test_text_that_cannot_be_read(tmp_path):
    with pytest.raises(ZooError, match="none is missing"):
        read_text(tmp_path / "none")
    with pytest.raises(ZooError, match="cannot be read: Is a directory"):
        read_text(tmp_path)
    (tmp_path / "latin").write_bytes(b"\xe4")
    with pytest.raises(ZooError, match="latin is corrupt: it is not UTF-8"):
        read_text(tmp_path / "latin")
