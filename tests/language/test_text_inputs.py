"""Texts and files of texts as inputs, and words that are not in the vocabulary."""

import json

import numpy as np
import pytest

import zoo
from zoo.api.writing import expand
from zoo.cli.main import main
from zoo.common.core.errors import ZooError
from zoo.common.data.text import read_text
from zoo.common.data.vocabulary import PAD, UNKNOWN, Vocabulary
from zoo.common.presets import store
from zoo.language.classification.data import LabelledText
from zoo.language.modelling.data import RunningText
from zoo.language.tokenization import END_OF_LINE
from zoo.language.translation.data import ParallelText

HELLO = "language/charlstm-hello"


def vocabulary(*tokens: str) -> Vocabulary:
    return Vocabulary(tokens, (1,) * len(tokens))


@pytest.fixture
def hello():
    if HELLO not in store.names():
        pytest.skip("the presets of the family language are not installed")
    return HELLO


def test_a_file_is_read_as_one_text_per_line(hello, tmp_path):
    path = tmp_path / "texts.en"
    path.write_text("he\n\nhello\n")
    expected = zoo.predict(hello, ["he", "", "hello"])
    assert zoo.predict(hello, str(path)).to_dict() == expected.to_dict()
    assert zoo.predict(hello, path).to_dict() == expected.to_dict()
    assert [answer["input"] for answer in zoo.score(hello, str(path))] == ["he", "", "hello"]
    names = [entry.name for entry in expand(store.load_recipe(store.find(hello)), [str(path)])]
    assert names == ["texts-0001.en", "texts-0002.en", "texts-0003.en"]


def test_a_translation_is_scored_with_its_source():
    preset = "language/seq2seq-multi30k-en-de"
    if preset not in store.names():
        pytest.skip("the presets of the family language are not installed")
    (score,) = zoo.score(preset, ["Two dogs run.", "Zwei Hunde rennen."])
    assert score["input"] == "Zwei Hunde rennen."


def test_a_line_is_never_the_name_of_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "he").write_text("hello\n")
    (tmp_path / "list.txt").write_text("he\n")
    data = RunningText()
    (line,) = data.find_inputs("list.txt")
    assert (line, data.find_inputs(line)) == ("he", ["he"])
    assert data.find_inputs(" he") == [" he"]  # a space makes it a text
    assert data.find_inputs("he") == ["hello"]


def test_a_file_that_is_not_text_is_an_error(hello, tmp_path):
    path = tmp_path / "photo.jpg"
    path.write_bytes(b"\xff\xd8\xff")
    (answer,) = zoo.predict(hello, str(path))
    assert "not UTF-8" in answer["error"]


def test_a_space_is_a_prompt():
    data = RunningText(tokenization="character", vocabulary=vocabulary("\n", " ", "a"))
    item = data.read_input(" ", None)
    assert (item["tokens"].tolist(), item["text"]) == ([0, 1], " ")
    with pytest.raises(ZooError, match="empty"):
        RunningText(vocabulary=vocabulary(END_OF_LINE, UNKNOWN, "a")).read_input("\n", None)


WORDS = {
    "language model": RunningText(vocabulary=vocabulary(END_OF_LINE, UNKNOWN, "a", "café")),
    "classifier": LabelledText(vocabulary=vocabulary(PAD, UNKNOWN, "a", "café")),
}


@pytest.mark.parametrize("kind", WORDS)
def test_unknown_words_are_counted(kind):
    data = WORDS[kind]
    for text, unknown in (("a cafe\u0301", 0), ("a xyzzy\u00a0b café", 2)):
        item = data.read_input(text, None)
        assert data.input_metadata(item) == ({"unknown": unknown} if unknown else {})
    for text in ("xyzzy", "xyzzy b\n", " ", ""):
        with pytest.raises(ZooError, match=r"in the vocabulary|is empty"):
            data.read_input(text, None)


def test_unknown_characters_of_a_translation_are_counted():
    data = ParallelText(vocabulary=vocabulary(PAD, UNKNOWN, "<start>", "<end>", "▁", "▁a", "b"))
    assert data.read_input("ab ☃b☃", None)["unknown"] == 2
    with pytest.raises(ZooError, match="No piece"):
        data.read_input("☃", None)


def test_predict_and_score_report_unknown_words(capsys):
    preset = "language/feedforward-ptb"
    if preset not in store.names():
        pytest.skip("the presets of the family language are not installed")
    text = "the company xyzzy"
    for call in (zoo.predict, zoo.score):
        answers = call(preset, [text, "the company"])
        assert [answer.get("unknown") for answer in answers] == [1, None]
    assert main(["score", preset, text]) == 0
    assert "Tokens outside the vocabulary: 1, in the company xyzzy" in capsys.readouterr().err
    assert main(["score", preset, text, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["scores"][0]["unknown"] == 1


def test_read_text():
    assert read_text("cafe\u0301") == "café"
    for source, message in ((b"a", "must be a str"), ("\ud800", "not UTF-8"), ("", "empty")):
        with pytest.raises(ZooError, match=message):
            read_text(source)


def test_the_normal_form_of_a_prompt_has_no_effect():
    data = WORDS["language model"]
    composed, decomposed = (data.read_input(text, None) for text in ("a café", "a cafe\u0301"))
    np.testing.assert_array_equal(composed["tokens"], decomposed["tokens"])
    assert composed["text"] == decomposed["text"] == "a café"
