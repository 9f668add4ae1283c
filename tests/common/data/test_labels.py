"""Labels: characters, words, classes; the numbers, and the file they are kept in."""

from pathlib import Path
from types import SimpleNamespace

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data.labels import BLANK_INDEX, Labels

FILE = Path("alphabet.txt")
CHARACTERS = Labels.of(["öl ja", "nö"], "character")
WORDS = Labels.of(["sil ah b", "b aa  sil"], "word")
CLASSES = Labels.of(["up call", "noise", "up call"], "class")


def test_symbols_stand_once_in_order():
    assert CHARACTERS.symbols == (" ", "a", "j", "l", "n", "ö")
    assert WORDS.symbols == ("aa", "ah", "b", "sil")
    assert CLASSES.symbols == ("noise", "up call")


def test_numbers():
    """The blank of CTC is 0; classes have none."""
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
def test_all_symbols_that_are_none_of_them_are_told(labels, text, words):
    with pytest.raises(ZooError) as error:
        labels.encode(text)
    assert str(error.value).startswith(words)


def test_the_class_of_an_example():
    assert CLASSES.class_of(SimpleNamespace(id="one", transcript="up call")) == 1
    with pytest.raises(ZooError, match=r"^The class of 'one': 'whale' is not among the 2 labels"):
        CLASSES.class_of(SimpleNamespace(id="one", transcript="whale"))


def test_what_a_program_without_the_zoo_must_know():
    """Of classes, there is neither a blank nor anything between two of them."""
    assert CLASSES.facts() == {"labels": ["noise", "up call"]}
    letters = ["<blank>", " ", "a", "j", "l", "n", "ö"]
    assert CHARACTERS.facts() == {"labels": letters, "blank": 0, "separator": ""}
    assert WORDS.facts()["separator"] == " "


@pytest.mark.parametrize("labels", [CHARACTERS, WORDS, CLASSES])
def test_they_come_back_from_their_file(labels):
    assert Labels.from_text(labels.to_text(), FILE, labels.unit) == labels


def test_the_file_has_a_line_for_each_output():
    assert WORDS.to_text() == "<blank>\naa\nah\nb\nsil\n"
    assert CLASSES.to_text() == "noise\nup call\n"
    for labels in (CHARACTERS, WORDS, CLASSES):
        assert labels.to_text().count("\n") == labels.size


@pytest.mark.parametrize(
    ("text", "unit", "words"),
    [
        ("a\nb\n", "character", "must have <blank> in its first line and one letter in each other"),
        ("<blank>\nab\n", "character", "one letter in each other line"),
        ("<blank>\na\n\nb\n", "character", "one letter"),
        ("<blank>\n", "character", "one letter"),
        ("", "character", "<blank> in its first line"),
        ("<blank>\na b\n", "word", "one word in each other line"),
        ("<blank>\n \n", "word", "one word"),
        ("", "class", "it must have one class in each"),
        ("a\n\n", "class", "one class"),
        ("<blank>\na\nb\na\n", "character", "a symbol must stand in it once"),
        ("noise\nnoise\n", "class", "a symbol must stand in it once"),
    ],
)
def test_a_corrupt_file(text, unit, words):
    with pytest.raises(ZooError, match=r"alphabet\.txt is corrupt") as error:
        Labels.from_text(text, FILE, unit)
    assert words in str(error.value)


def test_units():
    with pytest.raises(ZooError, match="must be one of 'character', 'word', 'class'"):
        Labels(("a",), "letter")
