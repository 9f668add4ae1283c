"""Corpora of running text: splits, locations of files, and errors."""

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


def test_split_words():
    """A line gives its words and END_OF_LINE; an empty line gives END_OF_LINE only."""
    assert split_words(" no it was n't \n\n a N \n") == [
        "no", "it", "was", "n't", "<eos>", "<eos>", "a", "N", "<eos>",
    ]  # fmt: skip
    assert split_words("not ended") == ["not", "ended"]
    assert split_words("cafe\u0301\u00a0au\u2009lait\u2028x") == ["café", "au", "lait", "x"]
    assert join_words(["a", "b", "<eos>", "c", "<eos>"]) == "a b\nc\n"


@pytest.mark.parametrize("text", ["a b\n", "a\n\n\nb c\n", "\n\na\n", "a b"])
def test_join_words_restores_the_text(text):
    assert join_words(split_words(text)) == text


def test_wikitext_is_counted_as_in_its_paper():
    """The tokens include the end of each line, as in awd-lstm-lm and Merity et al."""
    (text,) = WIKITEXT2.read(WIKITEXT, "valid")
    content = (WIKITEXT / "wiki.valid.tokens").read_text(encoding="utf-8")
    tokens = split_words(text.text)
    assert len(tokens) == len(content.split()) + content.count("\n")
    assert tokens[:7] == ["<eos>", "=", "Homarus", "gammarus", "=", "<eos>", "<eos>"]
    assert (text.id, text.split) == ("wiki.valid.tokens (valid)", "valid")


def test_the_train_split_of_shakespeare_is_nine_tenths(tmp_path):
    content = SAMPLE.read_text(encoding="utf-8")
    (tmp_path / "input.txt").write_text(content, encoding="utf-8")
    (train,) = SHAKESPEARE.read(tmp_path, "train")
    (test,) = SHAKESPEARE.read(tmp_path, "test")
    assert train.text + test.text == content
    assert len(train.text) == round(0.9 * len(content))
    assert SHAKESPEARE.read(tmp_path, "all") == [train, test]


def test_a_gzipped_file_gives_the_same_text(tmp_path):
    (tmp_path / "ptb.train.txt.gz").write_bytes(gzip.compress(b" a b \r\n c \n"))
    (text,) = PTB.read(tmp_path, "train")
    assert text.text == " a b \n c \n"


def test_the_split_all_contains_all_existing_files(tmp_path):
    for name in ("valid", "test"):
        (tmp_path / f"ptb.{name}.txt").write_text(f"{name}\n")
    assert [text.split for text in PTB.read(tmp_path, "all")] == ["valid", "test"]


def test_a_line_of_a_megabyte_is_read(tmp_path):
    (tmp_path / "ptb.train.txt").write_text("word " * 200_000)
    (text,) = PTB.read(tmp_path, "train")
    assert len(split_words(text.text)) == 200_000


def test_missing_splits_files_and_folders_are_errors(tmp_path):
    with pytest.raises(
        ZooError, match=r"no such split. There are: 'train', 'valid', 'test', 'all'"
    ):
        PTB.read(tmp_path, "dev")
    with pytest.raises(ZooError, match=r"ptb.test.txt is missing"):
        PTB.read(tmp_path, "test")
    with pytest.raises(ZooError, match="no such folder"):
        PTB.read(tmp_path / "nowhere", "test")
