"""The inputs of bulk inference: folders, lists and Parquet files, here or on another file system."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from zoo.api.predict import find_inputs
from zoo.common.core.capabilities import FileInputs
from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import read_lines
from zoo.common.data.tables import read_table
from zoo.common.utils.files import check_file

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

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
        is_line: whether it is a text even if a file has this name.
    """

    source: str
    size: int
    is_line: bool = False


def is_url(source: str) -> bool:
    """Return whether a source is a URL of a file system, such as "s3://bucket/folder"."""
    return "://" in source.partition("/")[0] + "//" and source.partition("://")[0].isalnum()


def open_url(url: str) -> tuple[FileSystem, str]:
    """Return the file system of a URL or path, and the path in it.

    Raises:
        ZooError: there is no such file system, or it cannot be reached.
    """
    from pyarrow import ArrowInvalid
    from pyarrow.fs import FileSystem

    try:
        return FileSystem.from_uri(url if is_url(url) else Path(url).absolute().as_uri())
    except (ArrowInvalid, OSError, NotImplementedError) as error:
        raise ZooError(f"{_bare(url)} cannot be opened: {_first_line(error)}") from None


def list_inputs(data: Any, given: str) -> list[BulkInput]:
    """Return the inputs of a folder, list, file or URL, the longest ones first.

    A CSV, TSV, JSON lines or Parquet file with a column `input` is a list. Paths in it are relative to
    its folder; texts stay as they are.

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
    values = _listed(Path(given)) if os.path.isfile(given) else None
    if values is not None:
        folder = Path(given).parent
        for value in values:
            path = folder / value
            file = isinstance(data, FileInputs) and not is_url(value) and _is_file(path)
            yield _local(str(path)) if file else BulkInput(value, len(value), not is_url(value))
        return
    if not os.path.exists(given):
        check_file(Path(given))
    for source in find_inputs(data, given):
        yield _local(source) if _is_file(source) and type(source) is str else _line(source)


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
        for each in files:
            if each.type == FileType.File and not each.base_name.startswith("."):
                yield BulkInput(_with_path(url, path, each.path), each.size or 0)
        return
    with local_copy(url) as copy:
        values = _listed(Path(copy))
        if values is not None:
            yield from (BulkInput(value, len(value), not is_url(value)) for value in values)
            return
        lines = find_inputs(data, copy)
        yield from [BulkInput(url, info.size or 0)] if lines == [copy] else map(_line, lines)


def _listed(path: Path) -> list[str] | None:
    """Return the column `input` of a list; None for a file of another kind.

    Raises:
        ZooError: the list is damaged.
    """
    suffix = path.suffix.lower()
    if suffix == ".parquet":
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


def _line(text: str) -> BulkInput:
    return BulkInput(str(text), len(text), is_line=True)


def _with_path(url: str, path: str, file: str) -> str:
    """Return the URL of a file in the folder `path` of `url`, with the options of the URL."""
    address, mark, options = url.partition("?")
    return address.rstrip("/") + file.removeprefix(path.rstrip("/")) + mark + options


def _bare(url: str) -> str:
    """Return a URL without options and without user, which may be secret."""
    scheme, mark, rest = url.partition("?")[0].partition("://")
    return scheme + mark + rest.rpartition("@")[2] if mark else scheme


def _first_line(error: Exception) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:200]
