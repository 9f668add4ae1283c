"""Test atomic writing of files and folders, and checks before reading."""

import errno
import os
import stat
from pathlib import Path

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import read_lines
from zoo.common.utils import files
from zoo.common.utils.files import (
    atomic_file,
    atomic_folder,
    clear_parts,
    digest,
    read_text,
    write_text,
)


def everything_below(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*")}


def test_file_appears_when_the_block_ends(tmp_path):
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
def test_failure_keeps_the_old_file(tmp_path, error):
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
def test_failure_removes_new_folders(tmp_path, write):
    (tmp_path / "mine").mkdir()
    with pytest.raises(RuntimeError), write(tmp_path / "mine" / "a" / "b" / "c"):
        raise RuntimeError
    assert everything_below(tmp_path) == {"mine"}


def test_failure_keeps_files_of_others(tmp_path):
    def fail():
        with atomic_file(tmp_path / "a" / "b.txt"):
            (tmp_path / "a" / "theirs.txt").write_text("theirs")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert everything_below(tmp_path) == {"a", "a/theirs.txt"}


@pytest.mark.parametrize("write", [atomic_file, atomic_folder])
def test_full_disk_is_reported(tmp_path, write):
    path = tmp_path / "a" / "b"
    with (
        pytest.raises(ZooError, match=r"b cannot be written: No space left on device\.$"),
        write(path),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert everything_below(tmp_path) == set()


@pytest.mark.parametrize("write", [atomic_file, atomic_folder])
@pytest.mark.parametrize("name", ["file/a", "file/a/b", "n" * 300])
def test_unwritable_path(tmp_path, write, name):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ZooError, match="cannot be written"), write(tmp_path / name):
        pass
    assert everything_below(tmp_path) == {"file"}


def test_folder_appears_when_the_block_ends(tmp_path):
    path = tmp_path / "deep" / "folder"
    with atomic_folder(path) as temporary:
        (temporary / "a.txt").write_text("whole")
        assert not path.exists()
    assert everything_below(tmp_path) == {"deep", "deep/folder", "deep/folder/a.txt"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o755


def test_folder_is_not_replaced_by_default(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(ZooError, match="a already exists"), atomic_folder(tmp_path / "a"):
        pytest.fail("the block must not run")
    assert everything_below(tmp_path) == {"a"}


def test_text_is_read_as_written(tmp_path):
    write_text(tmp_path / "a.txt", "öl\nß\n")
    assert (tmp_path / "a.txt").read_bytes() == "öl\nß\n".encode()
    assert read_text(tmp_path / "a.txt") == "öl\nß\n"


def test_unreadable_text(tmp_path):
    with pytest.raises(ZooError, match="none is missing"):
        read_text(tmp_path / "none")
    with pytest.raises(ZooError, match="cannot be read: Is a directory"):
        read_text(tmp_path)
    (tmp_path / "latin").write_bytes(b"\xe4")
    with pytest.raises(ZooError, match="latin is corrupt: it is not UTF-8"):
        read_text(tmp_path / "latin")
    with pytest.raises(ZooError, match="n cannot be read: File name too long"):
        read_text(tmp_path / ("n" * 300))
    with pytest.raises(ZooError, match=r"cannot be read: .*embedded null"):
        read_text(tmp_path / "a\0b")


@pytest.mark.skipif(not os.path.isfile("/proc/self/mem"), reason="needs /proc/self/mem")
@pytest.mark.parametrize("read", [read_text, digest])
def test_read_error_is_reported(read):
    with pytest.raises(ZooError, match=r"mem cannot be read: Input/output error\.$"):
        read(Path("/proc/self/mem"))


@pytest.mark.parametrize("umask", [0o077, 0o002])
def test_files_and_folders_have_the_mode_of_the_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        write_text(tmp_path / "a.txt", "mine")
        with atomic_folder(tmp_path / "b") as temporary:
            write_text(temporary / "c.txt", "mine")
    finally:
        os.umask(before)
    for name, mode in (("a.txt", 0o666), ("b", 0o777), ("b/c.txt", 0o666)):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode & ~umask


@pytest.mark.parametrize("in_one_step", [True, False])
def test_folder_is_replaced(tmp_path, monkeypatch, in_one_step):
    if not in_one_step:
        monkeypatch.setattr(files, "_swap", lambda *_: False)
    for text in ("old", "new"):
        with atomic_folder(tmp_path / "a", replace=True) as temporary:
            (temporary / text).touch()
    assert everything_below(tmp_path) == {"a", "a/new"}


def test_swap_is_atomic_on_this_system(tmp_path):
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / name).touch()
    assert files._swap(tmp_path / "a", tmp_path / "b")
    assert everything_below(tmp_path) == {"a", "a/b", "b", "b/a"}
    assert not files._swap(tmp_path / "a", tmp_path / "none")


@pytest.mark.parametrize("library", [None, object()])
def test_system_without_atomic_swap(tmp_path, monkeypatch, library):
    def load(_):
        if library is None:
            raise OSError
        return library

    monkeypatch.setattr(files.ctypes, "CDLL", load)
    assert not files._swap(tmp_path / "a", tmp_path / "b")


@pytest.mark.parametrize("killed_after", [1, 2])
def test_unfinished_exchange_is_repaired(tmp_path, killed_after):
    """Without an atomic swap, a process may be killed between the steps of an exchange."""
    path = tmp_path / "a"
    path.mkdir()
    (path / "old").touch()
    if killed_after == 2:
        path.rename(tmp_path / ".a.before")
        path.mkdir()
        (path / "new").touch()
    else:
        path.rename(tmp_path / ".a.before")
    with pytest.raises(RuntimeError), atomic_folder(path, replace=True):
        raise RuntimeError
    assert everything_below(tmp_path) == {"a", "a/old" if killed_after == 1 else "a/new"}


def test_clear_parts_of_one_name_and_of_all(tmp_path):
    (tmp_path / ".part-a~1").mkdir()
    (tmp_path / ".part-a~1" / "half").touch()
    (tmp_path / ".part-a-b~1").touch()
    clear_parts(tmp_path, "a")
    assert everything_below(tmp_path) == {".part-a-b~1"}
    clear_parts(tmp_path)
    assert everything_below(tmp_path) == set()


@pytest.mark.parametrize("read", [read_text, read_lines])
def test_infinite_and_large_inputs_are_not_read(read, tmp_path):
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "zeros").symlink_to("/dev/zero")
    for name in ("fifo", "zeros"):
        with pytest.raises(ZooError, match=f"{name} cannot be read: it is not a regular file"):
            read(tmp_path / name)
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**40)  # a sparse file
    with pytest.raises(ZooError, match="large is too large: it must have at most 67,108,864 bytes"):
        read(tmp_path / "large")
