"""Read files with checks, and write files and folders atomically."""

from __future__ import annotations

import ctypes
import glob
import hashlib
import os
import secrets
import shutil
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.common.core.errors import ZooError

# Prefix of temporary files and folders. A killed process leaves them behind.
PART = ".part-"
# More than any text file of a preset has.
MAX_TEXT_BYTES = 2**26
# Flags of the system calls that swap two paths atomically.
_RENAME_EXCHANGE, _AT_FDCWD = 2, -100  # Linux
_RENAME_SWAP = 2  # macOS


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yield a temporary path, which replaces `path` when the block ends without an error.

    Args:
        path: the file to write. The temporary path has the same suffix.

    Raises:
        ZooError: the file cannot be written.
    """
    with _writing(path):
        temporary = _part_of(path, path.suffix)
        # O_EXCL: an existing file or link is not overwritten. The umask of the user sets the mode.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path, replace: bool = False) -> Iterator[Path]:
    """Yield a temporary folder, which becomes `path` when the block ends without an error.

    Args:
        path: the folder to write.
        replace: whether to replace an existing folder. Readers see either the old or the new one.

    Raises:
        ZooError: `path` exists and `replace` is False, or the folder cannot be written.
    """
    with _writing(path):
        if replace:
            _restore(path)
        elif os.path.lexists(path):
            raise ZooError(f"{path} already exists. Remove it or choose another folder.")
        temporary = _part_of(path)
        temporary.mkdir()
        try:
            yield temporary
            if replace and path.exists():
                _exchange(temporary, path)
            else:
                temporary.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def clear_parts(folder: Path, name: str = "") -> None:
    """Remove temporary files and folders that killed processes left in a folder.

    The caller must hold the lock of what was written, see `zoo.common.utils.locks`.

    Args:
        folder: the folder to clean.
        name: the name of the file or folder that was written; empty for all names.
    """
    for path in folder.glob(f"{PART}{glob.escape(_short(name))}~*" if name else f"{PART}*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _part_of(path: Path, suffix: str = "") -> Path:
    """Return a new temporary path in the same folder, whose name contains that of `path`."""
    return path.with_name(f"{PART}{_short(path.name)}~{secrets.token_hex(6)}{suffix}")


def _short(name: str) -> str:
    """Return a name cut to 100 bytes, because file systems limit the length of names."""
    return os.fsdecode(os.fsencode(name)[:100])


def _exchange(new: Path, path: Path) -> None:
    """Swap the folders `new` and `path`."""
    if _swap(new, path):
        return
    # Without an atomic swap: `_restore` repairs the folder if the process is killed between the steps.
    before = _before(path)
    path.rename(before)
    new.rename(path)
    before.rename(new)


def _swap(first: Path, second: Path) -> bool:
    """Swap two paths atomically. Return whether the system supports it."""
    try:
        libc, names = ctypes.CDLL(None), (os.fsencode(first), os.fsencode(second))
        if sys.platform == "darwin":
            return libc.renamex_np(*names, _RENAME_SWAP) == 0
        return libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0
    except (AttributeError, OSError, TypeError):  # the system has no such call
        return False


def _before(path: Path) -> Path:
    """Return the temporary path of the old folder during an exchange in two steps."""
    return path.with_name(f".{_short(path.name)}.before")


def _restore(path: Path) -> None:
    """Undo an exchange that a killed process did not finish."""
    before = _before(path)
    if before.is_dir():
        if path.exists():
            shutil.rmtree(before)
        else:
            before.rename(path)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Make the parent folders of `path`. If the block fails, remove the folders that were made.

    Raises:
        ZooError: the block raised an OSError.
    """
    made: list[Path] = []
    try:
        made = [folder for folder in path.parents if not folder.exists()]
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    except BaseException as error:
        for folder in made:
            with suppress(OSError):
                folder.rmdir()
        if isinstance(error, OSError):
            raise ZooError(f"{path} cannot be written: {error.strerror or error}.") from error
        raise


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically. Raises as `atomic_file`.

    Surrogates, by which Python represents invalid bytes in file names, are written as escapes that
    JSON can read.

    Args:
        path: the file to write.
        text: the content.
    """
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def check_file(path: Path, at_most: int | None = None) -> None:
    """Check that a path is a regular file of valid size, before it is read.

    Reading a FIFO would block, and reading a device such as /dev/zero would not end.

    Args:
        path: the file.
        at_most: maximum size in bytes; None for no limit.

    Raises:
        ZooError: the file is missing, not a regular file, or larger than `at_most`.
    """
    try:
        status = path.stat()
    except FileNotFoundError:
        raise ZooError(f"{path} is missing.") from None
    except (OSError, ValueError) as error:
        raise ZooError(f"{path} cannot be read: {getattr(error, 'strerror', error)}.") from None
    if stat.S_ISDIR(status.st_mode):
        raise ZooError(f"{path} cannot be read: Is a directory.")
    if not stat.S_ISREG(status.st_mode):
        raise ZooError(f"{path} cannot be read: it is not a regular file.")
    if at_most is not None and status.st_size > at_most:
        raise ZooError(
            f"{path} is too large: it must have at most {at_most:,} bytes. "
            f"Received: {status.st_size:,}."
        )


def digest(path: Path) -> str:
    """Return the SHA-256 digest of a file in hexadecimal.

    Raises:
        ZooError: the path is not a regular file or cannot be read.
    """
    check_file(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ZooError(f"{path} cannot be read: {error.strerror}.") from None


def read_text(path: Path, at_most: int = MAX_TEXT_BYTES) -> str:
    """Return the content of a UTF-8 text file.

    Args:
        path: the file.
        at_most: maximum size in bytes.

    Raises:
        ZooError: the file is missing, too large, not UTF-8 or cannot be read.
    """
    check_file(path, at_most)
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ZooError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise ZooError(f"{path} is corrupt: it is not UTF-8, see byte {error.start}.") from None
