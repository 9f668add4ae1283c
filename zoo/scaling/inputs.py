"""The inputs of bulk inference: folders, lists and Parquet files, here or on another file system."""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from zoo.api.predict import find_inputs
from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import read_lines
from zoo.common.data.tables import read_table
from zoo.common.utils.files import check_file
from zoo.common.utils.packages import check_packages

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

EXTRA = "bulk"
# The column of a list with the inputs.
COLUMN = "input"
_KEY = json.dumps(COLUMN)
# Limit of the size of one input of another file system.
MAX_INPUT_BYTES = 2**31


@dataclass(frozen=True)
class BulkInput:
    """An input.

    Args:
        source: path, URL or text.
        size: bytes of the file or characters of the text: an estimate of the work.
        is_text: whether it is a text even if it looks like a URL.
    """

    source: str
    size: int
    is_text: bool = False


def is_url(source: str) -> bool:
    """Return whether a source is a URL of a file system, such as "s3://bucket/folder"."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", source) is not None


def open_url(url: str) -> tuple[FileSystem, str]:
    """Return the file system of a URL or path, and the path in it.

    Raises:
        ZooError: pyarrow is not installed, or there is no such file system, or it cannot be reached.
    """
    check_packages(("pyarrow",), EXTRA)
    from pyarrow import ArrowInvalid
    from pyarrow.fs import FileSystem

    try:
        return FileSystem.from_uri(url if is_url(url) else Path(url).absolute().as_uri())
    except (ArrowInvalid, OSError, NotImplementedError) as error:
        raise ZooError(f"{_bare(url)} cannot be opened: {_first_line(error)}") from None


def list_inputs(data: Any, given: str) -> list[BulkInput]:
    """Return the inputs of a folder, list, file or URL, the longest ones first.

    A CSV, TSV, JSON lines or Parquet file with a column `input` is a list. Paths in it are relative to
    its folder; texts stay as they are. The inputs of a URL are those of a local folder with equal names.

    Args:
        data: data part of the recipe, which knows what its inputs are.
        given: path or URL.

    Raises:
        ZooError: there are no inputs, or the folder or list cannot be read.
    """
    found = list(_url_inputs(data, given) if is_url(given) else _local_inputs(data, given))
    if not found:
        raise ZooError(f"There are no inputs in {_bare(given)}.")
    return sorted(found, key=lambda each: (-each.size, each.source))


@contextmanager
def local_copy(source: str) -> Iterator[str]:
    """Yield the path of a copy of the file at a URL.

    Raises:
        ZooError: the file is missing or cannot be read.
    """
    filesystem, path = open_url(source)
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / f"input{Path(path).suffix}"
        try:
            with filesystem.open_input_stream(path) as stream, copy.open("wb") as file:
                while block := stream.read(2**20):
                    file.write(block)
                    if file.tell() > MAX_INPUT_BYTES:
                        raise ZooError(f"{_bare(source)} is too large.")
        except OSError as error:
            raise ZooError(f"{_bare(source)} cannot be read: {_first_line(error)}") from None
        yield str(copy)


def _local_inputs(data: Any, given: str) -> Iterator[BulkInput]:
    if not os.path.exists(given):
        check_file(Path(given))
    values = _listed(Path(given)) if os.path.isfile(given) else None
    if values is not None:
        for value in values:
            path = Path(given).parent / value
            if data.accepts_text(value):
                yield _text(value)
            else:
                yield _local(str(path)) if _is_file(path) else BulkInput(value, 0)
        return
    for source in find_inputs(data, given):
        # A line of a file of texts is an instance of a subclass.
        yield _local(source) if type(source) is str and _is_file(source) else _text(source)


def _url_inputs(data: Any, url: str) -> Iterator[BulkInput]:
    from pyarrow.fs import FileSelector, FileType

    filesystem, path = open_url(url)
    try:
        info = filesystem.get_file_info(path)
        if info.type == FileType.NotFound:
            raise ZooError(f"{_bare(url)} is missing.")
        if info.type == FileType.Directory:
            files = filesystem.get_file_info(FileSelector(path, recursive=True))
    except OSError as error:
        raise ZooError(f"{_bare(url)} cannot be read: {_first_line(error)}") from None
    if info.type == FileType.Directory:
        suffixes = _input_suffixes(data, (each.path for each in files))
        for each in files:
            known = PurePosixPath(each.path).suffix in suffixes
            if known and each.type == FileType.File and not each.base_name.startswith("."):
                name = each.path.removeprefix(path).lstrip("/")
                yield BulkInput(_below(url, name), each.size or 0)
        return
    with local_copy(url) as copy:
        values = _listed(Path(copy))
        if values is None:
            lines = find_inputs(data, copy)
            yield from [BulkInput(url, info.size or 0)] if lines == [copy] else map(_text, lines)
            return
    address, mark, options = url.partition("?")
    folder = address.rpartition("/")[0] + mark + options
    for value in values:
        if data.accepts_text(value):
            yield _text(value)
        else:
            whole = is_url(value) or value.startswith("/")
            yield BulkInput(value if whole else _below(folder, value), 0)


def _input_suffixes(data: Any, paths: Iterable[str]) -> set[str]:
    """Return the file name extensions, of those of `paths`, that the data takes from a folder."""
    suffixes = {suffix for path in paths if len(suffix := PurePosixPath(path).suffix) < 32}
    with tempfile.TemporaryDirectory() as folder:
        for number, suffix in enumerate(sorted(suffixes)):
            Path(folder, f"{number}{suffix}").touch()
        try:
            found = find_inputs(data, folder)
        except ZooError:  # there is no input
            return set()
        return {Path(each).suffix for each in found if each != folder}


def _listed(path: Path) -> list[str] | None:
    """Return the column `input` of a list; None for a file of another kind.

    Raises:
        ZooError: the list is damaged.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
        check_packages(("pyarrow",), EXTRA)
        import pyarrow as pa
        from pyarrow import parquet

        try:
            if COLUMN not in parquet.read_schema(path).names:
                return None
            column = parquet.read_table(path, columns=[COLUMN]).column(COLUMN)
            return column.cast(pa.string()).drop_null().to_pylist()
        except (pa.ArrowInvalid, OSError) as error:
            raise ZooError(f"{path} cannot be read: {_first_line(error)}") from None
    if suffix in (".csv", ".tsv"):
        try:
            table = read_table(path)
        except ZooError:  # a file that is itself an input
            return None
        if COLUMN not in table.names:
            return None
        column = table.names.index(COLUMN)
        if short := [number for number, fields in table.rows if len(fields) <= column]:
            raise ZooError(f"{path}, line {short[0]}: the column {COLUMN!r} is missing.")
        return [fields[column] for _, fields in table.rows]
    if suffix == ".jsonl":
        lines = read_lines(path)
        return [_json_input(path, *line) for line in lines] if _KEY in lines[0][1] else None
    return None


def _json_input(path: Path, number: int, line: str) -> str:
    try:
        value = json.loads(line)[COLUMN]
    except (ValueError, KeyError, TypeError, RecursionError):
        value = None
    if not isinstance(value, str):
        raise ZooError(
            f"{path}, line {number}: it must be a JSON object whose {COLUMN!r} is text. "
            f"Received: {line[:80]!r}"
        )
    return value


def _is_file(path: str | Path) -> bool:
    try:
        return os.path.isfile(path)
    except ValueError:  # a text with a NUL
        return False


def _local(path: str) -> BulkInput:
    return BulkInput(path, os.path.getsize(path))


def _text(text: str) -> BulkInput:
    return BulkInput(str(text), len(text), is_text=True)


def _below(url: str, name: str) -> str:
    """Return the URL of a file below the folder `url`."""
    address, mark, options = url.partition("?")
    return f"{address.rstrip('/')}/{quote(name)}{mark}{options}"


def _bare(url: str) -> str:
    """Return a URL without options and without user, which may be secret."""
    scheme, mark, rest = url.partition("?")[0].partition("://")
    return scheme + mark + rest.rpartition("@")[2] if mark else scheme


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
