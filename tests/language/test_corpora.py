"""Texts: how they are divided, where they lie, and what is wrong with those that cannot be read."""

import gzip
from pathlib import Path

import pytest

from zoo.common.core.errors import ZooError
from zoo.language.modelling.corpora.ptb import PTB
from zoo.language.modelling.corpora.tinyshakespeare import SHAKESPEARE
from zoo.language.modelling.corpora.wikitext2 import WIKITEXT2
from zoo.language.modelling.data import SAMPLE
from zoo.language.tokenization import join_words, split_words

WIKITEXT = Path(__file__).parents[1] / "data" / "wikitext2"


def test_words_of_lines():
    """A line gives its words and the mark of its end, an empty one the mark alone."""
    assert split_words(" no it was n't \n\n a N \n") == [
        "no", "it", "was", "n't", "<eos>", "<eos>", "a", "N", "<eos>",
    ]  # fmt: skip
    assert split_words("not ended") == ["not", "ended"]
    assert join_words(["a", "b", "<eos>", "c", "<eos>"]) == "a b\nc\n"


@pytest.mark.parametrize("text", ["a b\n", "a\n\n\nb c\n", "\n\na\n", "a b"])
def test_words_joined_are_the_text_again(text):
    assert join_words(split_words(text)) == text


def test_wikitext_is_counted_as_its_paper_counts():
    """Tokens with a mark for each line, as awd-lstm-lm and Merity et al. count."""
    (text,) = WIKITEXT2.read(WIKITEXT, "valid")
    content = (WIKITEXT / "wiki.valid.tokens").read_text(encoding="utf-8")
    tokens = split_words(text.text)
    assert len(tokens) == len(content.split()) + content.count("\n")
    assert tokens[:7] == ["<eos>", "=", "Homarus", "gammarus", "=", "<eos>", "<eos>"]
    assert (text.id, text.split) == ("wiki.valid.tokens (valid)", "valid")


def test_shakespeare_is_divided_at_nine_tenths(tmp_path):
    content = SAMPLE.read_text(encoding="utf-8")
    (tmp_path / "input.txt").write_text(content, encoding="utf-8")
    (train,) = SHAKESPEARE.read(tmp_path, "train")
    (test,) = SHAKESPEARE.read(tmp_path, "test")
    assert train.text + test.text == content
    assert len(train.text) == round(0.9 * len(content))
    assert SHAKESPEARE.read(tmp_path, "all") == [train, test]


def test_a_gzipped_file_is_the_same_text(tmp_path):
    (tmp_path / "ptb.train.txt.gz").write_bytes(gzip.compress(b" a b \r\n c \n"))
    (text,) = PTB.read(tmp_path, "train")
    assert text.text == " a b \n c \n"


def test_all_is_every_split_that_is_there(tmp_path):
    for name in ("valid", "test"):
        (tmp_path / f"ptb.{name}.txt").write_text(f"{name}\n")
    assert [text.split for text in PTB.read(tmp_path, "all")] == ["valid", "test"]


def test_a_line_of_a_megabyte_is_a_line(tmp_path):
    (tmp_path / "ptb.train.txt").write_text("word " * 200_000)
    (text,) = PTB.read(tmp_path, "train")
    assert len(split_words(text.text)) == 200_000


def test_what_is_not_there_is_told_in_one_line(tmp_path):
    with pytest.raises(
        ZooError, match=r"no such split. There are: 'train', 'valid', 'test', 'all'"
    ):
        PTB.read(tmp_path, "dev")
    with pytest.raises(ZooError, match=r"ptb.test.txt is missing"):
        PTB.read(tmp_path, "test")
    with pytest.raises(ZooError, match="no such folder"):
        PTB.read(tmp_path / "nowhere", "test")
