"""Writing so that a reader meets the old file or the new one, never a part of one."""

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

# What begins like this was being written when its writer was killed.
PART = ".part-"
# More than any record, vocabulary or alphabet of a preset has.
MAX_TEXT_BYTES = 2**26
# Flags of the system calls that swap two paths in one step.
_RENAME_EXCHANGE, _AT_FDCWD = 2, -100  # Linux
_RENAME_SWAP = 2  # macOS


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yields a path to write to, which replaces `path` when the block ends without an error.

    The path keeps the suffix. Raises `ZooError` if the disk or the folder does not let it be written.
    """
    with _writing(path):
        temporary = _part_of(path, path.suffix)
        # With the mode that the user's umask gives, and never over a file or link that is there.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o666))
        try:
            yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path, replace: bool = False) -> Iterator[Path]:
    """Yields a folder to fill, which becomes `path` when the block ends without an error.

    Args:
        path: the folder.
        replace: whether it may exist. Readers meet the old one or the new one, at every moment.

    Raises:
        ZooError: `path` exists and may not, or it cannot be written.
    """
    with _writing(path):
        if replace:
            _restore(path)
        elif os.path.lexists(path):
            raise ZooError(f"{path} exists already. Remove it or name another folder.")
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
    """Remove what killed processes were writing in a folder, or of one name there.

    Only for who holds the lock of what was written: see `zoo.common.utils.locks`.
    """
    for path in folder.glob(f"{PART}{glob.escape(_short(name))}~*" if name else f"{PART}*"):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)


def _part_of(path: Path, suffix: str = "") -> Path:
    """A new name beside `path`, which tells what it is a part of."""
    return path.with_name(f"{PART}{_short(path.name)}~{secrets.token_hex(6)}{suffix}")


def _short(name: str) -> str:
    """A name as a part of a longer one, which may not be longer than file systems allow."""
    return os.fsdecode(os.fsencode(name)[:100])


def _exchange(new: Path, path: Path) -> None:
    """Put the folder `new` in the place of `path`, which becomes `new`."""
    if _swap(new, path):
        return
    # A file system that cannot: a process killed between the two steps is made good by `_restore`.
    before = _before(path)
    path.rename(before)
    new.rename(path)
    before.rename(new)


def _swap(first: Path, second: Path) -> bool:
    """Swap two paths in one step. Returns whether the system could."""
    try:
        libc, names = ctypes.CDLL(None), (os.fsencode(first), os.fsencode(second))
        if sys.platform == "darwin":
            return libc.renamex_np(*names, _RENAME_SWAP) == 0
        return libc.renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0
    except (AttributeError, OSError, TypeError):  # no such call here
        return False


def _before(path: Path) -> Path:
    """Where the old folder stands while another takes its place, if that takes two steps."""
    return path.with_name(f".{_short(path.name)}.before")


def _restore(path: Path) -> None:
    """Undo half an exchange that a killed process left."""
    before = _before(path)
    if before.is_dir():
        if path.exists():
            shutil.rmtree(before)
        else:
            before.rename(path)


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    """Makes the folders above `path`; unmakes those it made, and tells why, if the block fails."""
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
    """Writes UTF-8 text atomically. Raises as `atomic_file`.

    Half a letter, as which Python reads bytes of a file's name that are no text, is written as its
    escape, which JSON reads back.
    """
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8", errors="backslashreplace")


def check_file(path: Path, at_most: int | None = None) -> None:
    """Check, before any of it is read, that a path is a file's and of a size that can be meant.

    A FIFO would hang, and a device such as /dev/zero has no end.

    Args:
        path: the file. at_most: the most bytes it may have; None for any number.

    Raises:
        ZooError: it is missing, no plain file, or larger.
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
        raise ZooError(f"{path} cannot be read: it is no plain file.")
    if at_most is not None and status.st_size > at_most:
        raise ZooError(
            f"{path} is too large: it must have {at_most:,} bytes at most. "
            f"Received: {status.st_size:,}."
        )


def digest(path: Path) -> str:
    """Return SHA-256 of a file, in hex. Raises `ZooError` if it is no file or cannot be read."""
    check_file(path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise ZooError(f"{path} cannot be read: {error.strerror}.") from None


def read_text(path: Path, at_most: int = MAX_TEXT_BYTES) -> str:
    """Reads UTF-8 text. Raises `ZooError` if it is missing, too long or cannot be read."""
    check_file(path, at_most)
    try:
        return path.read_text(encoding="utf-8")
    except OSError as error:
        raise ZooError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError as error:
        raise ZooError(f"{path} is corrupt: it is not UTF-8, see byte {error.start}.") from None
