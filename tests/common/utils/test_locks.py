"""Test that one process at a time writes to a folder, and that locks end with their process."""

import fcntl
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.utils.locks import LOCK_FILE, locked

HOLDER = """
import sys, time
from pathlib import Path
from zoo.common.utils.locks import LOCK_FILE, locked
with locked(Path(sys.argv[1]) / LOCK_FILE):
    print("held", flush=True)
    time.sleep(60)
"""


@pytest.fixture
def holder(tmp_path):
    """Return another process that holds the lock of the folder `run`."""
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "run")], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout.readline() == "held\n"
    yield process
    process.kill()
    process.wait()


def take(folder: Path) -> None:
    with locked(folder / LOCK_FILE):
        assert os.listdir(folder) == [LOCK_FILE]


def test_lock_of_another_process_is_reported_and_ends_with_it(holder, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(ZooError, match=f"run is in use: process {holder.pid} writes to it"):
        take(folder)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (folder / LOCK_FILE).exists()  # the file without a lock has no effect
    take(folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("error", [ZooError, KeyboardInterrupt])
def test_error_releases_the_lock_and_removes_new_folders(tmp_path, error):
    def fail():
        with locked(tmp_path / "a" / "b" / LOCK_FILE):
            raise error

    with pytest.raises(error):
        fail()
    assert list(tmp_path.iterdir()) == []
    take(tmp_path)


def test_same_process_cannot_lock_twice(tmp_path):
    with locked(tmp_path / LOCK_FILE), pytest.raises(ZooError, match="in use"):
        take(tmp_path)


def test_lock_file_of_another_holder_is_not_removed(tmp_path):
    folder = tmp_path / "run"
    with locked(folder / LOCK_FILE):
        (folder / LOCK_FILE).unlink()
        folder.rmdir()
        folder.mkdir()
        (folder / LOCK_FILE).write_text("of another")
    assert (folder / LOCK_FILE).read_text() == "of another"


def test_process_id_of_a_killed_holder_is_overwritten(tmp_path):
    (tmp_path / LOCK_FILE).write_text("12345678901234")
    with (
        locked(tmp_path / LOCK_FILE),
        pytest.raises(ZooError, match=f"process {os.getpid()} writes"),
    ):
        take(tmp_path)


def test_unknown_holder(tmp_path):
    with locked(tmp_path / LOCK_FILE):
        (tmp_path / LOCK_FILE).write_bytes(b"\xff")
        with pytest.raises(ZooError, match="is in use: another process writes to it"):
            take(tmp_path)


def test_lock_file_removed_between_open_and_lock(tmp_path, monkeypatch):

    def lock(handle, how):
        monkeypatch.undo()
        (tmp_path / LOCK_FILE).unlink()
        fcntl.flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", lock)
    with locked(tmp_path / LOCK_FILE), pytest.raises(ZooError, match="in use"):
        take(tmp_path)


def test_symbolic_link_as_lock_file_is_not_followed(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LOCK_FILE).symlink_to(tmp_path / "mine")
    with pytest.raises(ZooError, match="cannot be written"):
        take(tmp_path / "run")
    assert (tmp_path / "mine").read_text() == "mine"


def test_unwritable_path(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ZooError, match="cannot be written"):
        take(tmp_path / "file")
    with pytest.raises(ZooError, match="cannot be written"):
        take(tmp_path / "new" / ("n" * 300))
    assert os.listdir(tmp_path) == ["file"]
