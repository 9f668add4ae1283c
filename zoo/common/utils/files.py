"""Writing so that a reader meets the old file or the new one, never a part of one."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from zoo.common.core.errors import ZooError

# What begins like this was being written when its writer was killed.
PART = ".part-"


@contextmanager
def atomic_file(path: Path) -> Iterator[Path]:
    """Yields a path to write to, which replaces `path` when the block ends without an error.

    The path keeps the suffix. Raises `ZooError` if the disk or the folder does not let it be written.
    """
    with _writing(path):
        handle, name = tempfile.mkstemp(dir=path.parent, prefix=PART, suffix=path.suffix)
        os.close(handle)
        temporary = Path(name)
        try:
            yield temporary
            temporary.chmod(0o644)
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """Yields a folder to fill, which becomes `path` when the block ends without an error.

    Raises `ZooError` if `path` exists, or cannot be written.
    """
    with _writing(path):
        if path.exists():
            raise ZooError(f"{path} exists already. Remove it or name another folder.")
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=PART))
        try:
            yield temporary
            temporary.chmod(0o755)
            temporary.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


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
    """Writes UTF-8 text atomically. Raises as `atomic_file`."""
    with atomic_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def read_text(path: Path) -> str:
    """Reads UTF-8 text. Raises `ZooError` if it is missing or cannot be read."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise ZooError(f"{path} is missing.") from None
    except OSError as error:
        raise ZooError(f"{path} cannot be read: {error.strerror}.") from None
    except UnicodeDecodeError:
        raise ZooError(f"{path} is corrupt: it is not UTF-8.") from None
