"""Unpack archives that may be damaged or hostile: .zip, and .tar with any compression."""

from __future__ import annotations

import fnmatch
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, NamedTuple

from zoo.common.core.errors import ZooError

MAX_MEMBERS = 200_000
# Largest ratio of the unpacked size to the size of the archive. Text has about 5, plots of text 10.
MAX_RATIO, SLACK = 30, 2**20
BLOCK = 2**16


class _Member(NamedTuple):
    """A member of an archive: its name, its content, and whether it is neither a file nor a folder."""

    name: str
    file: IO[bytes] | None
    is_special: bool = False


def is_archive(name: str) -> bool:
    """Return whether a file is an archive by its name."""
    return name.endswith((".zip", ".tar.gz", ".tgz", ".tar.bz2", ".tar.xz", ".tar"))


def unpack(archive: Path, folder: Path, members: tuple[str, ...] = ("*",), strip: int = 0) -> None:
    """Unpack files of an archive into an existing folder.

    Args:
        archive: the archive.
        folder: the folder.
        members: patterns of the paths to unpack, after `strip`. "*" also matches "/".
        strip: number of leading folders to remove from each path.

    Raises:
        ZooError: the archive is damaged, has none of the members, or is hostile: a path is absolute or
            leaves the folder, a requested member is a link or a device, or it has too many members or
            is too large when it is unpacked.
    """
    room = MAX_RATIO * archive.stat().st_size + SLACK
    written = 0
    try:
        for number, member in enumerate(_members(archive)):
            if number >= MAX_MEMBERS:
                raise ZooError(f"{archive} must have at most {MAX_MEMBERS:,} members.")
            path = PurePosixPath(*_parts(archive, member.name)[strip:])
            if not any(fnmatch.fnmatchcase(str(path), pattern) for pattern in members):
                continue
            if member.is_special:
                raise _refused(archive, member.name, "is a link or a device")
            if member.file is not None and path.parts:
                room -= _copy(archive, member.file, folder / path, room)
                written += 1
    except ZooError:
        raise
    except (OSError, EOFError, ValueError, RuntimeError, zlib.error, *_ERRORS) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise ZooError(f"{folder} cannot be written: {error.strerror or error}.") from None
        reason = " ".join(str(error).split())[:120]
        raise ZooError(f"{archive} is not a valid archive: {reason}.") from None
    if not written:
        raise ZooError(f"{archive} does not contain {', '.join(members)}.")


_ERRORS = (tarfile.TarError, zipfile.BadZipFile, NotImplementedError)


def _members(archive: Path) -> Iterator[_Member]:
    if zipfile.is_zipfile(archive):
        with zipfile.ZipFile(archive) as zipped:
            for info in zipped.infolist():
                kind = stat.S_IFMT(info.external_attr >> 16)
                if info.is_dir() or kind not in (0, stat.S_IFREG):
                    yield _Member(info.filename, None, kind not in (0, stat.S_IFREG, stat.S_IFDIR))
                    continue
                with zipped.open(info) as file:
                    yield _Member(info.filename, file)
        return
    with tarfile.open(archive) as tar:
        for item in tar:
            content = tar.extractfile(item) if item.isreg() else None
            yield _Member(item.name, content, not (item.isreg() or item.isdir()))
        while tar.fileobj and tar.fileobj.read(BLOCK):
            pass  # The end has the checksum of the compression.


def _parts(archive: Path, name: str) -> tuple[str, ...]:
    """Return the parts of the path of a member."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or name[1:2] == ":":
        raise _refused(archive, name, "is not a path below a folder")
    return path.parts


def _copy(archive: Path, file: IO[bytes], path: Path, room: int) -> int:
    """Copy a member to a new file of at most `room` bytes, and return its size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with path.open("xb") as target:  # never through a link, and never twice
        while block := file.read(BLOCK):
            size += len(block)
            if size > room:
                raise ZooError(
                    f"{archive} is refused: it expands to over {MAX_RATIO} times its size."
                )
            target.write(block)
    return size


def _refused(archive: Path, name: str, why: str) -> ZooError:
    return ZooError(f"{archive} is refused: its member {name[:120]!r} {why}.")
