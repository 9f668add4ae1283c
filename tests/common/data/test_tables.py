"""Test tables: dialects of CSV and TSV, and invalid headers and rows."""

from dataclasses import dataclass

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data import tables
from zoo.common.data.tables import read_records, read_table

LINES = ("id,text,split", '"a","one, ""two""",test', 'b,"1,5",')
EXPECTED = [("a", 'one, "two"', "test"), ("b", "1,5", "")]


@dataclass(frozen=True)
class Example:
    id: str
    text: str
    split: str | None = None


@pytest.fixture
def write(tmp_path):
    """Return a function that writes a file and returns its path."""

    def write(text: str, encoding: str = "utf-8"):
        path = tmp_path / "list.csv"
        path.write_bytes(text.encode(encoding))
        return path

    return write


def parse(row: dict[str, str]) -> Example:
    return Example(row["id"], row["text"], row.get("split"))


def read(path) -> list[tuple]:
    examples = read_table(path).parse(("id", "text"), parse)
    return [(example.id, example.text, example.split) for example in examples]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize(
    "text",
    [
        "\n".join(LINES),
        "\r\n".join(LINES) + "\r\n",
        "\r".join(LINES) + "\r",
        "\n\n \n".join(LINES) + "\n\n",
        "\n".join(f"{line}," for line in LINES),
        "\n".join([" id, text ,split", *(f"{line}," for line in LINES[1:])]),
        'id;text;split\na;"one, ""two""";test\nb;1,5;\n',
        'id;text;split\n"a";"one, ""two""";"test"\nb;1,5;\n',
        'id\ttext\tsplit\na\t"one, ""two"""\ttest\nb\t1,5\t\n',
        'split\tid\ttext\ntest\ta\tone, "two"\n\tb\t1,5\n',
        ",id,text,split\n" + "\n".join(f"{i},{line}" for i, line in enumerate(LINES[1:])),
    ],
    ids=[
        "LF",
        "CRLF",
        "CR",
        "blank lines",
        "trailing comma",
        "trailing comma below the header",
        "semicolon",
        "semicolon, quoted",
        "tab, quoted",
        "tab",
        "index of pandas",
    ],
)
def test_dialects_have_the_same_rows(write, text, encoding):
    assert read(write(text, encoding)) == EXPECTED


def test_quoted_line_breaks(write):
    path = write('"id",text\na,"one\ntwo"\nb,three\nc\n')
    with pytest.raises(ZooError, match=r"list.csv, line 5: 1 fields where the header has 2$"):
        read(path)
    path.write_text(path.read_text().removesuffix("c\n"))
    assert read(path) == [("a", "one\ntwo", None), ("b", "three", None)]
    assert read_records(path).rows[1:] == [(2, ["a", "one\ntwo"]), (4, ["b", "three"])]


def test_quotes_of_tsv_are_characters_unless_all_lines_are_quoted_correctly(write):
    lines = "id\ttext\n", 'a\t"One," he said\n', 'b\t"two"\n'
    assert [row[1] for row in read(write("".join(lines)))] == ['"One," he said', '"two"']
    # A quote that is not closed does not join lines.
    assert [row[1] for row in read(write(f'{lines[0]}a\t"one\nb\ttwo"\n'))] == ['"one', 'two"']


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name,text\na,b\n", "line 1: the header lacks id. It must have id,text. Received: 'name,"),
        ("\n\ntext\n", "line 3: the header lacks id"),
        ("id,text, text\na,b,c\n", "line 1: the column 'text' is not unique"),
        ('"id,text\n', "line 1: invalid CSV: unexpected end of data"),
        ("id,text\na,b\na,b,c\n", "line 3: 3 fields where the header has 2"),
        ('id,text\n"a,b\n', "line 2: invalid CSV"),
        ('id,text\na,"b" c\n', "line 2: invalid CSV: ',' expected after"),
        ("id,text\n", "list.csv: the list has no examples"),
        ('""\n,\n', "list.csv is empty"),
    ],
)
def test_invalid_tables(write, text, message):
    with pytest.raises(ZooError, match=message):
        read(write(text))


def test_a_table_too_large_for_memory(write, monkeypatch):
    monkeypatch.setattr(tables, "MAX_COLUMNS", 3)
    monkeypatch.setattr(tables, "MAX_LINES", 4)
    assert read_table(write("id,b,c\n1,2,3\n")).names == ["id", "b", "c"]
    with pytest.raises(ZooError, match="line 1: there must be at most 3 columns"):
        read_table(write("id,b,c,d\n1,2,3,4\n"))
    assert len(read_table(write("id\n" * 4)).rows) == 3
    with pytest.raises(ZooError, match="too large: it must have at most 4 lines"):
        read_table(write("id\n" * 5))
