"""Test labels: characters, words and classes, their indices, and their file."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data.labels import BLANK_INDEX, Labels

FILE = Path("alphabet.txt")
CHARACTERS = Labels.of(["öl ja", "nö"], "character")
WORDS = Labels.of(["sil ah b", "b aa  sil"], "word")
CLASSES = Labels.of(["up call", "noise", "up call"], "class")


def test_symbols_are_unique_and_sorted():
    assert CHARACTERS.symbols == (" ", "a", "j", "l", "n", "ö")
    assert WORDS.symbols == ("aa", "ah", "b", "sil")
    assert CLASSES.symbols == ("noise", "up call")


def test_indices():
    """The blank of CTC is 0. Classes have no blank."""
    assert BLANK_INDEX == 0
    assert CHARACTERS.encode("ja") == [3, 2]
    assert WORDS.encode("b  sil\tb") == [3, 4, 3]
    assert CLASSES.encode("up call") == [1]
    assert (CHARACTERS.size, WORDS.size, CLASSES.size) == (7, 5, 2)
    assert (len(CHARACTERS), len(WORDS), len(CLASSES)) == (6, 4, 2)


def test_texts():
    assert CHARACTERS.decode([3, 2]) == ["j", "a"]
    assert CHARACTERS.text([1, 3, 2, 1, 1, 5, 6, 1]) == "ja nö"
    assert WORDS.text([3, 4, 3]) == "b sil b"
    assert CLASSES.text([1]) == "up call"
    assert CHARACTERS.text([]) == WORDS.text([]) == ""


@pytest.mark.parametrize(
    ("labels", "text", "words"),
    [
        (CHARACTERS, "jazz", "'z' is not among the 6 labels ' ajlnö'. Received: 'jazz'."),
        (WORDS, "b zh sil z", "'z zh' is not among the 4 labels 'aa ah b sil'. Received: 'b zh"),
        (CLASSES, "whale", "'whale' is not among the 2 labels 'noise up call'. Received: 'whale'."),
    ],
)
def test_all_unknown_symbols_are_listed(labels, text, words):
    with pytest.raises(ZooError) as error:
        labels.encode(text)
    assert str(error.value).startswith(words)


def test_the_class_of_an_example():
    assert CLASSES.class_of(SimpleNamespace(id="one", label="up call")) == 1
    with pytest.raises(ZooError, match=r"^The label of 'one': 'whale' is not among the 2 labels"):
        CLASSES.class_of(SimpleNamespace(id="one", label="whale"))


def test_export_metadata():
    """Classes have neither a blank nor a separator."""
    assert CLASSES.export_metadata() == {"labels": ["noise", "up call"]}
    letters = ["<blank>", " ", "a", "j", "l", "n", "ö"]
    assert CHARACTERS.export_metadata() == {"labels": letters, "blank": 0, "separator": ""}
    assert WORDS.export_metadata()["separator"] == " "


@pytest.mark.parametrize("labels", [CHARACTERS, WORDS, CLASSES])
def test_labels_are_restored_from_their_file(labels):
    assert Labels.from_text(labels.to_text(), FILE) == labels


def test_the_file_has_one_line_per_output():
    assert WORDS.to_text() == "<blank>\naa\nah\nb\nsil\n"
    assert CLASSES.to_text() == "noise\nup call\n"
    for labels in (CHARACTERS, WORDS, CLASSES):
        assert labels.to_text().count("\n") == labels.size


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<blank>\na\n\nb\n", "each line must be one label"),
        ("<blank>\n", "each line must be one label"),
        ("", "each line must be one label"),
        ("<blank>\na b\n", "each line must be one label"),
        ("<blank>\n\t \n", "each line must be one label"),
        ("a\n\n", "each line must be one label"),
        ("<blank>\na\nb\na\n", "each label must occur once"),
        ("noise\nnoise\n", "each label must occur once"),
    ],
)
def test_a_corrupt_file(text, words):
    with pytest.raises(ZooError, match=r"alphabet\.txt is corrupt") as error:
        Labels.from_text(text, FILE)
    assert words in str(error.value)


def test_with_unit():
    """Single letters can be words, but words cannot be letters. Classes have no blank."""
    assert Labels(("a", "b")).with_unit("word") == Labels(("a", "b"), "word")
    assert Labels().with_unit("class") == Labels((), "class")
    with pytest.raises(ZooError, match=r"Each label must be one character\. Received: 'aa'"):
        WORDS.with_unit("character")
    with pytest.raises(ZooError, match=r"Each label must be one word\. Received: ' '"):
        CHARACTERS.with_unit("word")
    with pytest.raises(ZooError, match="'word' must begin with <blank>"):
        CLASSES.with_unit("word")
    with pytest.raises(ZooError, match="'class' must not begin with <blank>"):
        WORDS.with_unit("class")


def test_symbols_outside_the_labels():
    assert CHARACTERS.outside("zja z\u0308") == ["z", "\u0308"]
    assert WORDS.outside("zh b ae zh") == ["ae", "zh"]
    assert CLASSES.outside("up call") == []


def test_symbols_are_in_nfc():
    assert Labels.of(["e\u0301"], "character").symbols == ("é",)
    assert Labels(("é",)).encode("e\u0301") == [1]


def test_the_unit_is_read_from_the_file():
    assert Labels.from_text("<blank>\na\nb\n", FILE) == Labels(("a", "b"), "character")
    assert Labels.from_text("<blank>\na\nbb\n", FILE) == Labels(("a", "bb"), "word")
    assert Labels.from_text("a b\nc", FILE) == Labels(("a b", "c"), "class")


def test_units():
    with pytest.raises(ZooError, match="must be one of 'character', 'word', 'class'"):
        Labels(("a",), "letter")
