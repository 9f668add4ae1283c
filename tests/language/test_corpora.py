"""Texts: how they are cut, where they lie, and what is wrong with those that cannot be read."""

import gzip
from pathlib import Path

import pytest

from zoo.common.errors import ZooError
from zoo.language import corpora
from zoo.language.task import SAMPLE
from zoo.language.text import join_words, words

WIKITEXT = Path(__file__).parents[1] / "data" / "wikitext2"


def test_words_of_lines():
    """A line gives its words and the mark of its end, an empty one the mark alone."""
    assert words(" no it was n't \n\n a N \n") == [
        "no", "it", "was", "n't", "<eos>", "<eos>", "a", "N", "<eos>",
    ]  # fmt: skip
    assert words("not ended") == ["not", "ended"]
    assert join_words(["a", "b", "<eos>", "c", "<eos>"]) == "a b\nc\n"


def test_wikitext_is_counted_as_its_paper_counts():
    """Tokens with a mark for each line, as awd-lstm-lm and Merity et al. count."""
    (text,) = corpora.read_corpus("wikitext2", WIKITEXT, "valid", words)
    content = (WIKITEXT / "wiki.valid.tokens").read_text(encoding="utf-8")
    assert len(text.tokens) == len(content.split()) + content.count("\n")
    assert text.tokens[:7] == ["<eos>", "=", "Homarus", "gammarus", "=", "<eos>", "<eos>"]


def test_shakespeare_is_cut_at_nine_tenths(tmp_path):
    content = SAMPLE.read_text(encoding="utf-8")
    (tmp_path / "input.txt").write_text(content, encoding="utf-8")
    (train,) = corpora.read_corpus("tinyshakespeare", tmp_path, "train", str)
    (test,) = corpora.read_corpus("tinyshakespeare", tmp_path, "test", str)
    assert train.tokens + test.tokens == content
    assert len(train.tokens) == round(0.9 * len(content))


def test_a_gzipped_file_is_the_same_text(tmp_path):
    (tmp_path / "ptb.train.txt.gz").write_bytes(gzip.compress(b" a b \n c \n"))
    (text,) = corpora.read_corpus("ptb", tmp_path, "train", words)
    assert text.tokens == ["a", "b", "<eos>", "c", "<eos>"]


def test_windows_lines_and_byte_order_mark(tmp_path):
    (tmp_path / "text").write_bytes("\ufeffäb\r\nc\r\n".encode())
    assert corpora.read_file(tmp_path / "text") == "äb\nc\n"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b" \n\t\n", "is empty"),
        ("caf\u00e9 au lait".encode("latin1"), r"is not UTF-8: byte 3 is 0xe9"),
        (gzip.compress(b"a b c" * 100)[:-20], "no whole gzip file"),
        (b"\x1f\x8b no gzip at all", "no whole gzip file"),
    ],
)
def test_a_bad_file_is_told_in_one_line(tmp_path, content, message):
    path = tmp_path / "text.txt"
    path.write_bytes(content)
    with pytest.raises(ZooError, match=message) as error:
        corpora.read_file(path)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_a_line_of_a_megabyte_is_a_line(tmp_path):
    (tmp_path / "long.txt").write_text("word " * 200_000)
    assert len(words(corpora.read_file(tmp_path / "long.txt"))) == 200_000


def test_a_split_that_is_not_there(tmp_path):
    with pytest.raises(ZooError, match=r"no split 'dev'. There are: 'train', 'valid', 'test'"):
        corpora.read_corpus("ptb", tmp_path, "dev", words)
    with pytest.raises(ZooError, match=r"ptb.test.txt is missing"):
        corpora.read_corpus("ptb", tmp_path, "test", words)
    with pytest.raises(ZooError, match="no such folder"):
        corpora.read_corpus("ptb", tmp_path / "nowhere", "test", words)
