"""The output of bulk inference: parts of rows, each written at once, in Parquet or JSON lines."""

from __future__ import annotations

import hashlib
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from zoo.common.core.errors import ZooError
from zoo.scaling.inputs import BulkInput, open_url

if TYPE_CHECKING:
    from pyarrow.fs import FileSystem

PARQUET, JSONL = "parquet", "jsonl"
FORMATS = (PARQUET, JSONL)
PREFIX, TEMPORARY = "part-", ".part-"
SETTINGS_FILE = "predict.json"
# Number of rows of a part: at most this, and so that each actor gets at least this number of parts.
MAX_ROWS, PARTS_PER_ACTOR = 500, 8

Row = dict[str, Any]


@dataclass(frozen=True)
class Part:
    """A part of the output.

    Args:
        name: name of its file, without the suffix.
        inputs: its inputs.
    """

    name: str
    inputs: tuple[BulkInput, ...]


@dataclass(frozen=True)
class Parts:
    """A folder of parts, on any file system.

    Args:
        out: path or URL of the folder.
        format: "parquet" or "jsonl".
    """

    out: str
    format: str

    def _open(self) -> tuple[FileSystem, str]:
        return open_url(self.out)

    def claim(self, settings: dict[str, Any], owner: str) -> None:
        """Make the folder, or check that its rows have the same settings, and remove parts of parts.

        Args:
            settings: settings that all rows share, JSON-ready.
            owner: id of this call. Workers of earlier calls no longer write.

        Raises:
            ZooError: the folder has rows of other settings, or other files, or cannot be written.
        """
        with _io(self.out):
            filesystem, folder = self._open()
            filesystem.create_dir(folder)
            names = [name for name, _ in self._files("")]
            if SETTINGS_FILE in names:
                held = self._settings()
                if other := [key for key, value in settings.items() if held.get(key) != value]:
                    raise ZooError(
                        f"{self.out} holds rows of other settings ({', '.join(other)}). Choose "
                        "another folder."
                    )
            elif names:
                raise ZooError(f"{self.out} holds other files. Choose another folder.")
            for name in names:
                if name.startswith(TEMPORARY):
                    filesystem.delete_file(f"{folder}/{name}")
            self._put(SETTINGS_FILE, json.dumps(settings | {"owner": owner}).encode())

    def answered(self) -> Counter[str]:
        """Return how often each input has a row."""
        return Counter(row["input"] for row in self.rows())

    def rows(self) -> Iterator[Row]:
        """Yield the rows of all parts. Columns without a value are left out.

        Raises:
            ZooError: a part cannot be read.
        """
        for name, _ in self._files(PREFIX):
            try:
                rows = _read(self.read(name), name.rpartition(".")[2])
            except (ValueError, OSError) as error:
                line = " ".join(str(error).split())[:200]
                raise ZooError(
                    f"{self.out}/{name} cannot be read: {line}. Remove it to repeat its inputs."
                ) from None
            yield from rows

    def has(self, part: Part) -> bool:
        """Return whether a part is written."""
        from pyarrow.fs import FileType

        filesystem, folder = self._open()
        path = f"{folder}/{part.name}.{self.format}"
        return filesystem.get_file_info(path).type == FileType.File

    def write(self, part: Part, rows: Sequence[Row], owner: str) -> None:
        """Write the rows of a part at once.

        Raises:
            ZooError: the part cannot be written, or another call writes into the folder.
        """
        with _io(self.out):
            content = _parquet(rows) if self.format == PARQUET else _json_lines(rows)
            if self._settings().get("owner") != owner:
                raise ZooError(f"{self.out} is in use by another call.")
            self._put(f"{part.name}.{self.format}", content)

    def read(self, name: str) -> bytes:
        """Return the content of a file of the folder."""
        filesystem, folder = self._open()
        with filesystem.open_input_stream(f"{folder}/{name}") as stream:
            return stream.read()

    def _settings(self) -> dict[str, Any]:
        with suppress(ValueError):
            if isinstance(held := json.loads(self.read(SETTINGS_FILE)), dict):
                return held
        raise ZooError(f"{self.out}/{SETTINGS_FILE} is corrupt. Choose another folder.")

    def _put(self, name: str, content: bytes) -> None:
        filesystem, folder = self._open()
        temporary = f"{folder}/{TEMPORARY}{name}"
        with filesystem.open_output_stream(temporary) as stream:
            stream.write(content)
        filesystem.move(temporary, f"{folder}/{name}")

    def _files(self, prefix: str) -> list[tuple[str, int]]:
        """Return the names and sizes of the files whose name has a prefix, sorted."""
        from pyarrow.fs import FileSelector, FileType

        filesystem, folder = self._open()
        found = filesystem.get_file_info(FileSelector(folder))
        files = [(each.base_name, each.size or 0) for each in found if each.type == FileType.File]
        return sorted(each for each in files if each[0].startswith(prefix))


def remaining(inputs: Sequence[BulkInput], answered: Counter[str]) -> list[BulkInput]:
    """Return the inputs that have no row yet. An input that is given twice has two rows."""
    left, rest = Counter(answered), []
    for each in inputs:
        name = row_name(each.source)
        if left[name] > 0:
            left[name] -= 1
        else:
            rest.append(each)
    return rest


def plan_parts(inputs: Sequence[BulkInput], actors: int, answered: int) -> list[Part]:
    """Return the parts of the inputs, in their order.

    A part has the same name only for the same inputs after the same number of answered ones, so that a
    part that is written twice replaces itself, and never another part.
    """
    size = max(1, min(MAX_ROWS, len(inputs) // (actors * PARTS_PER_ACTOR)))
    parts = []
    for number, begin in enumerate(range(0, len(inputs), size)):
        chosen = tuple(inputs[begin : begin + size])
        key = json.dumps([answered, number, [each.source for each in chosen]])
        parts.append(Part(PREFIX + hashlib.sha256(key.encode()).hexdigest()[:24], chosen))
    return parts


def row_name(source: str) -> str:
    """Return an input as text that every format can hold: invalid Unicode is escaped."""
    return source.encode("utf-8", "backslashreplace").decode()


def _read(content: bytes, format: str) -> list[Row]:
    if format == JSONL:
        return [json.loads(line) for line in content.decode().splitlines()]
    from pyarrow import parquet

    rows = parquet.read_table(io.BytesIO(content)).to_pylist()
    return [{key: value for key, value in row.items() if value is not None} for row in rows]


def _json_lines(rows: Sequence[Row]) -> bytes:
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def _parquet(rows: Sequence[Row]) -> bytes:
    import pyarrow as pa
    from pyarrow import parquet

    columns = list(dict.fromkeys(["input", "output", *(key for row in rows for key in row)]))
    columns = [name for name in columns if name != "error"] + ["error"]
    # A part without errors, or with nothing else, has the same type in these columns as others.
    types = {"input": pa.string(), "error": pa.string()}
    sink = io.BytesIO()
    try:
        arrays = [pa.array([row.get(name) for row in rows], types.get(name)) for name in columns]
        parquet.write_table(pa.Table.from_arrays(arrays, columns), sink)
    except pa.ArrowException as error:
        raise ZooError(
            f"The rows do not fit columns: {' '.join(str(error).split())[:120]}. Use --format jsonl."
        ) from None
    return sink.getvalue()


@contextmanager
def _io(out: str) -> Iterator[None]:
    """Raise `ZooError` for an error of the file system."""
    try:
        yield
    except OSError as error:
        line = (str(error).splitlines() or [""])[0]
        raise ZooError(f"{out} cannot be written: {line}") from None
