"""Lists of examples in text files: lines and JSON lines. Errors have line numbers."""

from __future__ import annotations

import codecs
import gzip
import hashlib
import io
import json
import os
import zlib
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from zoo.common.core.corpus import no_such_split
from zoo.common.core.errors import ZooError
from zoo.common.utils.files import check_file

GZIP_MAGIC = b"\x1f\x8b"
UTF_16_MARKS = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
# Limit of the size of a list. Its words, lines and fields take up to thirty times as much memory.
MAX_BYTES = 2**26
# Limit of the size of a text that is read as a whole, or of an ARPA file. They take up to eleven
# times as much memory. The 5-grams of the Penn Treebank have 94 MB, text8 has 100 MB.
MAX_WHOLE_BYTES = 2**27
MAX_LINES = 2**21
MAX_COLUMNS = 10_000
# Limit of a JSON object on one line: lists of lists take about thirty times as much memory.
MAX_OBJECT_BYTES = 2**24

# Names of columns and keys by which a row is a part of a file.
PARTS = (
    "begin",
    "begin_time",
    "channel",
    "end",
    "end_time",
    "offset",
    "start",
    "start_time",
    "stop",
    "stop_time",
)

Line = tuple[int, str]


def read_file(path: Path, at_most: int = MAX_BYTES) -> str:
    """Return the text of a file, plain or gzipped, with "\\n" between lines.

    The file is in UTF-8, or in UTF-16 with a byte order mark. Its lines end with LF or CRLF, or all of
    them with CR.

    Raises:
        ZooError: the file is missing, not a regular file, larger than `at_most` bytes (compressed or
            decompressed), a corrupt gzip file, not UTF-8 (the message has the line and the offset of the
            first invalid byte), or has only white space.
    """
    check_file(path, at_most)
    try:
        content = path.read_bytes()
        if content.startswith(GZIP_MAGIC):
            with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
                content = file.read(at_most + 1)
            if len(content) > at_most:
                raise ZooError(
                    f"{path} is too large: it must have at most {at_most:,} bytes after decompression."
                )
        encoding = "utf-16" if content.startswith(UTF_16_MARKS) else "utf-8-sig"
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        start = error.start + len(content) - len(error.object)  # without a byte order mark
        line = content.count(b"\n", 0, start) + 1
        if error.encoding != "utf-8":
            raise ZooError(f"{path}: not {error.encoding.upper()}: {error.reason}.") from None
        raise ZooError(
            f"{path}, line {line}: not UTF-8: byte {start} is 0x{content[start]:02x}. "
            f"Convert it first, as with `iconv -f latin1 -t utf-8`."
        ) from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ZooError(f"{path} is a corrupt gzip file: {error}.") from None
    except OSError as error:
        raise ZooError(f"{path} cannot be read: {error.strerror}.") from None
    if not text.strip():
        raise ZooError(f"{path} is empty.")
    text = text.replace("\r\n", "\n")
    return text if "\n" in text else text.replace("\r", "\n")


def read_lines(path: Path, at_most: int = MAX_BYTES) -> list[Line]:
    """Return the lines of a text file that are not blank, with their numbers.

    Raises:
        ZooError: as `read_file`, or the file has more than `MAX_LINES` lines.
    """
    text = read_file(path, at_most)
    if text.count("\n") > MAX_LINES:
        raise ZooError(f"{path} is too large: it must have at most {MAX_LINES:,} lines.")
    numbered = enumerate((line.rstrip("\r") for line in text.split("\n")), start=1)
    return [(number, line) for number, line in numbered if line.strip()]


def parse_lines(
    path: Path,
    lines: Iterable[Line],
    parse: Callable[[str], Any],
    join: Callable[[Any, Any], Any] | None = None,
) -> list[Any]:
    """Return an example for each line.

    Args:
        path: path of the file, for error messages.
        lines: numbered lines.
        parse: maps a line to an example with an `id`, or to None to skip the line. It raises `ZooError`
            for an invalid line.
        join: joins two examples with the same id. Without it, ids must be unique.

    Raises:
        ZooError: a line is invalid (the message has the number of the first one and of others), or no
            line gives an example.
    """
    examples: dict[str, Any] = {}
    bad: list[str] = []
    for number, line in lines:
        try:
            example = parse(line)
            if example is None:
                continue
            if example.id in examples:
                if join is None:
                    raise ZooError(f"the id {example.id!r} is not unique")
                example = join(examples[example.id], example)
            examples[example.id] = example
        except ZooError as error:
            bad.append(f"line {number}: {error}")
    if bad:
        others = f" (further invalid lines: {len(bad) - 1})" if len(bad) > 1 else ""
        raise ZooError(f"{path}, {bad[0]}{others}")
    if not examples:
        raise ZooError(f"{path}: the list has no examples")
    return list(examples.values())


def parse_json_lines(
    path: Path,
    parse: Callable[[dict[str, Any]], Any],
    join: Callable[[Any, Any], Any] | None = None,
) -> list[Any]:
    """Return an example for each line of a file of JSON objects. See `parse_lines`."""
    return parse_lines(path, read_lines(path), lambda line: parse(json_object(line)), join)


def is_json_lines(path: Path) -> bool:
    """Return whether a list has JSON lines, by its suffix or its first character."""
    _, first = read_lines(path)[0]
    return path.suffix.lower() in (".json", ".jsonl") or first.lstrip().startswith(("{", "["))


def check_whole(row: dict[str, Any]) -> None:
    """Check that a row of a list of recordings or videos means a whole file.

    Raises:
        ZooError: a column or a key of `PARTS` has a value other than 0.
    """
    for name, value in row.items():
        if name.lower() in PARTS and str(value or "").strip() not in ("", "0", "0.0"):
            raise ZooError(
                f"{name!r} is not supported: each row must be a whole file. Received: "
                f"{str(value)[:80]!r}"
            )


def text_field(row: dict[str, Any], key: str) -> str:
    """Return a required text of a JSON object.

    Raises:
        ZooError: the key is missing, or its value is empty or not a string.
    """
    if not isinstance(row.get(key), str) or not row[key].strip():
        raise ZooError(f"no text under the key {key!r}. Received: {str(row.get(key))[:80]!r}")
    return row[key]


def of_split(examples: list[Any], split: str, path: Path) -> list[Any]:
    """Return the examples whose attribute `split` is the given one, or all for "all".

    Raises:
        ZooError: there are no such examples.
    """
    chosen = [example for example in examples if split in ("all", example.split)]
    if not chosen:
        raise no_such_split(path, sorted({e.split for e in examples if e.split}), split)
    return chosen


def find_file(folder: Path, names: Iterable[str], suffixes: Iterable[str]) -> Path:
    """Return the file `folder/<names>` with one of the suffixes. Names cannot leave the folder.

    Raises:
        ZooError: a name is not a plain file name, or there is no such file.
    """
    names = list(names)
    for name in names:
        if name in ("", ".", "..") or not name.isprintable() or set(name) & set("/\\"):
            raise ZooError(f"not a plain file name: {name!r}")
    stem, suffixes = folder.joinpath(*names), list(suffixes)
    for suffix in suffixes:
        path = stem.with_name(stem.name + suffix)
        if os.path.isfile(path):  # Path.is_file raises for a name that is too long
            return path
    raise ZooError(f"no file {stem} with one of {' '.join(suffixes)}")


def find_below(source: str, suffixes: tuple[str, ...], kind: str) -> list[str]:
    """Return the files in a folder and its subfolders, sorted; a source that is not a folder as it is.

    Args:
        source: path of a file or folder.
        suffixes: valid file name extensions.
        kind: name of such files in the error message.

    Raises:
        ZooError: the folder has no such files.
    """
    if not os.path.isdir(source):
        return [source]
    found = sorted(
        str(path)
        for path in Path(source).rglob("*")
        if path.suffix.lower() in suffixes and path.is_file() and not path.name.startswith(".")
    )
    if not found:
        raise ZooError(f"{source}: the folder has no {kind} ({' '.join(suffixes)})")
    return found


def digest(rows: Iterable[tuple]) -> str:
    """Return the SHA-256 hex digest of rows of plain values. It does not depend on their order."""
    return hashlib.sha256(json.dumps(sorted(rows)).encode()).hexdigest()


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object, whose keys must be unique."""
    row = dict(pairs)
    if len(row) < len(pairs):
        ((twice, _),) = Counter(key for key, _ in pairs).most_common(1)
        raise ZooError(f"the key {twice[:80]!r} is not unique")
    return row


def json_object(line: str) -> dict[str, Any]:
    """Return the JSON object on a line. Raises `ZooError` without the name of the file."""
    if len(line) > MAX_OBJECT_BYTES:
        raise ZooError(f"an object must have at most {MAX_OBJECT_BYTES:,} characters")
    try:
        row = json.loads(line, object_pairs_hook=_unique)
        json.dumps(row, ensure_ascii=False).encode()  # fails for unpaired surrogates
    except (ValueError, RecursionError) as error:
        raise ZooError(f"invalid JSON: {error}") from None
    if not isinstance(row, dict):
        raise ZooError(f"not a JSON object. Received: {line[:80]!r}")
    return row
