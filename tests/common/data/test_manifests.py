"""Test manifests: line numbers of errors, encodings, splits, file names."""

import codecs
import gzip
import json
from dataclasses import dataclass
from pathlib import Path

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data import manifests
from zoo.common.data.manifests import (
    check_whole,
    digest,
    find_file,
    is_json_lines,
    of_split,
    parse_json_lines,
    parse_lines,
    read_file,
    read_lines,
    text_field,
)


@dataclass(frozen=True)
class Example:
    id: str
    text: str = ""
    split: str | None = None


@pytest.fixture
def write(tmp_path):
    """Return a function that writes bytes or text to a file and returns its path."""

    def write(content: bytes | str, name: str = "list") -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write


def parse(line: str) -> Example | None:
    """Return the example of a line "id text"; None for a line that begins with "#"."""
    if line.startswith("#"):
        return None
    name, space, text = line.partition(" ")
    if not space:
        raise ZooError(f"no text. Received: {line!r}")
    return Example(name, text)


# Text ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content",
    [
        b"\xc3\xb6l\nja\n",
        b"\xc3\xb6l\r\nja\r\n",
        b"\xc3\xb6l\rja\r",
        codecs.BOM_UTF8 + b"\xc3\xb6l\nja\n",
        "öl\r\nja\r\n".encode("utf-16"),
        codecs.BOM_UTF16_BE + "öl\nja\n".encode("utf-16-be"),
        gzip.compress(b"\xc3\xb6l\nja\n"),
        gzip.compress(codecs.BOM_UTF8 + b"\xc3\xb6l\r\nja\r\n"),
    ],
    ids=[
        "plain",
        "CRLF",
        "CR",
        "BOM",
        "UTF-16, CRLF",
        "UTF-16, big-endian",
        "gzip",
        "gzip, BOM, CRLF",
    ],
)
def test_encodings_of_a_text(write, content):
    assert read_file(write(content)) == "öl\nja\n"


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("mark", [b"", codecs.BOM_UTF8])
def test_the_error_about_invalid_utf_8_has_line_and_byte(write, mark, packed):
    content = mark + b"one\ntwo\nf\xfcnf\n"
    path = write(gzip.compress(content) if packed else content)
    byte = 9 + len(mark)
    with pytest.raises(ZooError, match=f"list, line 3: not UTF-8: byte {byte} is 0xfc"):
        read_file(path)


@pytest.mark.parametrize("share", [0.3, 0.9])
def test_a_truncated_gzip_file(write, share):
    whole = gzip.compress(json.dumps(list(range(5000))).encode())
    with pytest.raises(ZooError, match="list is a corrupt gzip file"):
        read_file(write(whole[: int(share * len(whole))]))


def test_unreadable_and_empty_files(write, tmp_path):
    with pytest.raises(ZooError, match=r"none is missing\.$"):
        read_file(tmp_path / "none")
    with pytest.raises(ZooError, match="cannot be read: Is a directory"):
        read_file(tmp_path)
    for content in (b"", b" \n\t\r\n", gzip.compress(b"")):
        with pytest.raises(ZooError, match="list is empty"):
            read_file(write(content))


def test_line_numbers_count_empty_lines(write):
    assert read_lines(write("a\n\n \n b \r\nc")) == [(1, "a"), (4, " b "), (5, "c")]
    # Other separators are part of the text. So is a carriage return in a file with line feeds.
    assert read_lines(write("a\u2028b\x0bc\n")) == [(1, "a\u2028b\x0bc")]
    assert read_lines(write("a\rb\nc")) == [(1, "a\rb"), (2, "c")]


# Examples -----------------------------------------------------------------------------------------


def test_lines_are_parsed_into_examples(write):
    path = write("a one\n# no\n\nb two\n")
    assert parse_lines(path, read_lines(path), parse) == [Example("a", "one"), Example("b", "two")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("a one\nb\n", "list, line 2: no text. Received: 'b'$"),
        ("\na\nb two\nc\nd\n", r"list, line 2: no text\. .* \(further invalid lines: 2\)$"),
        ("a one\nb two\na three\n", "list, line 3: the id 'a' is not unique$"),
        ("# one\n# two\n", "list: the list has no examples$"),
    ],
)
def test_errors_have_line_numbers(write, content, words):
    path = write(content)
    with pytest.raises(ZooError, match=words):
        parse_lines(path, read_lines(path), parse)


def test_lines_with_the_same_id_can_be_joined(write):
    path = write("a one\nb two\na three\n")
    joined = parse_lines(
        path, read_lines(path), parse, lambda a, b: Example(a.id, f"{a.text} {b.text}")
    )
    assert joined == [Example("a", "one three"), Example("b", "two")]


def of_json(row: dict) -> Example:
    return Example(text_field(row, "id"), text_field(row, "text"), row.get("split"))


def test_json_lines(write):
    path = write('{"id": "a", "text": "öl"}\n\n{"id": "b", "text": "x", "split": "test"}\n')
    assert parse_json_lines(path, of_json) == [Example("a", "öl"), Example("b", "x", "test")]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("{", "line 2: invalid JSON"),
        ("[1]", r"line 2: not a JSON object\. Received: '\[1\]'"),
        ("[" * 100_000, "line 2: invalid JSON"),
        ('{"id": "b", "text": "\\ud800"}', "line 2: invalid JSON: .*surrogates"),
        ('{"id": "b"}', "line 2: no text under the key 'text'. Received: 'None'"),
        ('{"id": "b", "text": 7}', "line 2: no text under the key 'text'. Received: '7'"),
        ('{"id": "b", "text": " "}', "line 2: no text under the key 'text'. Received: ' '"),
    ],
)
def test_invalid_json_lines(write, line, words):
    with pytest.raises(ZooError, match=words):
        parse_json_lines(write('{"id": "a", "text": "x"}\n' + line + "\n"), of_json)


def test_keys_of_an_object_are_unique(write):
    with pytest.raises(ZooError, match="line 1: invalid JSON: the key 'text' is not unique"):
        parse_json_lines(write('{"id": "a", "text": "x", "text": "y"}'), of_json)


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("a", ' {"id": 1}', True),
        ("a.csv", "[1]", True),
        ("a.JSONL", "a,b", True),
        ("a", "a,b", False),
    ],
)
def test_json_lines_are_recognized(write, name, content, expected):
    assert is_json_lines(write(content, name)) is expected


def test_a_row_is_a_whole_file():
    check_whole({"offset": 0, "Start": "0.0", "channel": "", "end": None, "starting": 3})
    for name, value in (("offset", 1.5), ("START_TIME", "2"), ("channel", 1), ("end", "0.5")):
        with pytest.raises(ZooError, match=f"'{name}' is not supported: .* Received: '{value}'"):
            check_whole({"text": "a", name: value})


# Splits, files, digests ---------------------------------------------------------------------------


def test_of_split():
    train, test, none = Example("a", split="train"), Example("b", split="test"), Example("c")
    examples, path = [train, test, none], Path("list.csv")
    assert of_split(examples, "test", path) == [test]
    assert of_split(examples, "all", path) == examples
    with pytest.raises(ZooError) as error:
        of_split(examples, "dev", path)
    assert str(error.value) == (
        "list.csv: no such split. There are: 'test', 'train', 'all'. Received: 'dev'."
    )


def test_files_are_found_by_plain_file_names(tmp_path):
    (tmp_path / "s1").mkdir()
    (tmp_path / "s1" / "a.b.opus").write_bytes(b"")
    (tmp_path / "s1" / "c.wav").mkdir()  # a folder is not a recording
    (tmp_path / "secret.flac").write_bytes(b"")
    found = find_file(tmp_path, ["s1", "a.b"], (".flac", ".opus"))
    assert found == tmp_path / "s1" / "a.b.opus"
    for names in (["s1", "c"], ["s1", "a"], ["n" * 300]):
        with pytest.raises(ZooError, match=r"no file .* with one of \.wav \.opus"):
            find_file(tmp_path, names, (".wav", ".opus"))
    for name in ("..", ".", "", "../secret", "/etc/passwd", "a\\b", "a\0"):
        with pytest.raises(ZooError, match="not a plain file name"):
            find_file(tmp_path / "s1", [name], (".flac",))


def test_a_digest_does_not_depend_on_the_order():
    rows = [("b", "öl", 2), ("a", "ja", 1)]
    assert digest(rows) == digest(reversed(rows))
    # The output of `printf '[["a", "ja", 1], ["b", "\\u00f6l", 2]]' | sha256sum`.
    assert digest(rows) == "9f28d23dbfa5138eab7298d86c8e84d89bc1904b45816197308c8131ae2ece53"
    assert digest(rows) != digest([("b", "öl", 2), ("a", "ja", 2)])


# Infinite inputs --------------------------------------------------------------------------------


def test_a_text_too_large_for_memory(write, monkeypatch):
    """The limits are on the size, on the decompressed size, and on the number of lines."""
    monkeypatch.setattr(manifests, "MAX_LINES", 1000)
    with pytest.raises(ZooError, match="too large: it must have at most 1,048,576 bytes"):
        read_file(write(b"a" * (2**20 + 1)), 2**20)
    zipped = gzip.compress(b"a" * (2**20 + 1))
    assert len(zipped) < 2000
    with pytest.raises(ZooError, match="at most 1,048,576 bytes after decompression"):
        read_file(write(zipped), 2**20)
    with pytest.raises(ZooError, match="too large: it must have at most 1,000 lines"):
        read_lines(write(b"a\n" * 1001))
    assert len(read_lines(write(b"a\n" * 1000))) == 1000


def test_an_object_too_large_for_memory(write, monkeypatch):
    monkeypatch.setattr(manifests, "MAX_OBJECT_BYTES", 50)
    with pytest.raises(ZooError, match="line 1: an object must have at most 50 characters"):
        parse_json_lines(write('{"id": "' + "a" * 60 + '"}'), lambda row: Example(row["id"]))
