"""Lock folders, so that only one process at a time writes to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.common.core.errors import ZooError

# The lock of a folder is a lock on this file in it. The operating system releases it when the process
# ends, even if the process is killed. The file alone does not mean that the folder is locked.
LOCK_FILE = ".lock"


@contextmanager
def locked(path: Path, what: Path | None = None) -> Iterator[None]:
    """Hold a lock while the block runs, or until the process ends.

    Args:
        path: the lock file. It is removed at the end, together with empty parent folders that this
            function made.
        what: the locked path, for error messages; None for the folder of the lock file.

    Raises:
        ZooError: another process holds the lock, or the file cannot be written.
    """
    what = what or path.parent
    made = [folder for folder in path.parents if not os.path.lexists(folder)]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = _acquire(path, what)
    except OSError as error:
        _remove_empty(made)
        raise ZooError(f"{path} cannot be written: {error.strerror or error}.") from error
    try:
        yield
    finally:
        with suppress(OSError):
            if _is_open_as(handle, path):
                path.unlink()
        os.close(handle)
        _remove_empty(made)


def _acquire(path: Path, what: Path) -> int:
    """Return the descriptor of the locked file.

    Raises:
        OSError: the file cannot be written.
        ZooError: another process holds the lock.
    """
    import fcntl

    while True:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_open_as(handle, path):  # else the previous owner has just removed it
                os.ftruncate(handle, 0)
                os.write(handle, str(os.getpid()).encode())
                return handle
        except BlockingIOError:
            owner = os.read(handle, 20).decode(errors="replace")
            os.close(handle)
            by = f"process {owner}" if owner.isdecimal() else "another process"
            raise ZooError(
                f"{what} is in use: {by} writes to it. Wait for it, or name another folder."
            ) from None
        except BaseException:
            os.close(handle)
            raise
        os.close(handle)


def _is_open_as(handle: int, path: Path) -> bool:
    """Return whether a descriptor belongs to the file that is at `path` now."""
    try:
        return os.path.samestat(os.fstat(handle), os.stat(path, follow_symlinks=False))
    except FileNotFoundError:
        return False


def _remove_empty(folders: list[Path]) -> None:
    for folder in folders:
        with suppress(OSError):
            folder.rmdir()
