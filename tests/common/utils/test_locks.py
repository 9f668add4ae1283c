"""One process at a time writes to a folder, and a dead one bars nobody."""

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
    """Another process, which holds the lock of the folder `run`."""
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


def test_a_lock_of_another_process_is_told_and_dies_with_it(holder, tmp_path):
    folder = tmp_path / "run"
    with pytest.raises(ZooError, match=f"run is in use: process {holder.pid} writes to it"):
        take(folder)
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    assert (folder / LOCK_FILE).exists()  # what is left of it bars nobody
    take(folder)
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize("error", [ZooError, KeyboardInterrupt])
def test_an_error_releases_it_and_leaves_no_new_folder(tmp_path, error):
    def fail():
        with locked(tmp_path / "a" / "b" / LOCK_FILE):
            raise error

    with pytest.raises(error):
        fail()
    assert list(tmp_path.iterdir()) == []
    take(tmp_path)


def test_the_same_process_is_no_exception(tmp_path):
    with locked(tmp_path / LOCK_FILE), pytest.raises(ZooError, match="in use"):
        take(tmp_path)


def test_a_folder_that_its_holder_has_removed(tmp_path):
    """The next one makes its own; the first does not take that away."""
    folder = tmp_path / "run"
    with locked(folder / LOCK_FILE):
        (folder / LOCK_FILE).unlink()
        folder.rmdir()
        folder.mkdir()
        (folder / LOCK_FILE).write_text("of another")
    assert (folder / LOCK_FILE).read_text() == "of another"


def test_a_lock_that_was_held_by_a_longer_number(tmp_path):
    """Of a process that was killed: the error names the one that is alive."""
    (tmp_path / LOCK_FILE).write_text("12345678901234")
    with (
        locked(tmp_path / LOCK_FILE),
        pytest.raises(ZooError, match=f"process {os.getpid()} writes"),
    ):
        take(tmp_path)


def test_a_holder_that_is_unknown(tmp_path):
    with locked(tmp_path / LOCK_FILE):
        (tmp_path / LOCK_FILE).write_bytes(b"\xff")
        with pytest.raises(ZooError, match="is in use: another process writes to it"):
            take(tmp_path)


def test_a_lock_whose_last_owner_removes_it_meanwhile(tmp_path, monkeypatch):
    """Between the moments when it is opened and locked: a lock on what is no longer there is none."""

    def lock(handle, how):
        monkeypatch.undo()
        (tmp_path / LOCK_FILE).unlink()
        fcntl.flock(handle, how)

    monkeypatch.setattr(fcntl, "flock", lock)
    with locked(tmp_path / LOCK_FILE), pytest.raises(ZooError, match="in use"):
        take(tmp_path)


def test_a_lock_is_no_way_to_another_file(tmp_path):
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / LOCK_FILE).symlink_to(tmp_path / "mine")
    with pytest.raises(ZooError, match="cannot be written"):
        take(tmp_path / "run")
    assert (tmp_path / "mine").read_text() == "mine"


def test_a_place_that_cannot_be_written(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(ZooError, match="cannot be written"):
        take(tmp_path / "file")
    with pytest.raises(ZooError, match="cannot be written"):
        take(tmp_path / "new" / ("n" * 300))
    assert os.listdir(tmp_path) == ["file"]
