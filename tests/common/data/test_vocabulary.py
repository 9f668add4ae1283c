"""Test vocabularies: order, counts, unknown tokens, and the file."""

from pathlib import Path

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data.vocabulary import PAD, UNKNOWN, Vocabulary

SENTENCES = [["the", "cat", "saw", "the", "dog"], ["a", "dog", "saw", "the", "cat"]]


def test_specials_first_then_by_frequency_then_by_name():
    vocabulary = Vocabulary.of(SENTENCES, specials=(PAD, UNKNOWN))
    assert vocabulary.tokens == (PAD, UNKNOWN, "the", "cat", "dog", "saw", "a")
    assert vocabulary.counts == (0, 0, 3, 2, 2, 2, 1)


def test_special_tokens_in_the_corpus_are_counted():
    vocabulary = Vocabulary.of([["<unk>", "x", "<unk>"]], specials=(UNKNOWN,))
    assert vocabulary.tokens == (UNKNOWN, "x")
    assert vocabulary.counts == (2, 1)


def test_rare_tokens_become_unknown():
    vocabulary = Vocabulary.of(SENTENCES, specials=(UNKNOWN,), min_count=2)
    assert "a" not in vocabulary
    assert vocabulary.encode(["a", "cat"]) == [0, 2]
    assert vocabulary.decode([0, 2]) == [UNKNOWN, "cat"]


def test_tokens_outside_a_vocabulary_without_unknown_are_errors():
    with pytest.raises(ZooError, match="'z' is not in the vocabulary of 3 tokens"):
        Vocabulary.of(["abc"]).encode("az")


@pytest.mark.parametrize("characters", ["ab\n\t\\\r \x0b", "\\n\n", "aä日🙂\u2028"])
def test_special_characters_are_restored_from_the_file(characters):
    vocabulary = Vocabulary.of([characters, ["\\n", "\\\\t"]])
    assert Vocabulary.from_text(vocabulary.to_text(), Path("vocabulary.txt")) == vocabulary


def test_counts_have_at_most_18_digits():
    most, path = "9" * 18, Path("vocabulary.txt")
    assert Vocabulary.from_text(f"a\t{most}\nb\t0", path).counts == (int(most), 0)
    with pytest.raises(ZooError, match="in line 1: 'a\\\\t9999999999999999999'"):
        Vocabulary.from_text(f"a\t{most}9\n", path)


def test_an_empty_vocabulary():
    assert len(Vocabulary()) == 0
    assert UNKNOWN not in Vocabulary()
    assert Vocabulary.of([], min_count=1) == Vocabulary()
    assert Vocabulary.of([["a", "a", "b"]], min_count=2).tokens == ("a",)


@pytest.mark.parametrize(
    "line", ["word", "word\tmany", "\t3", "the\t2", "word\t-1", "", "word\t" + "9" * 5000]
)
def test_errors_about_a_corrupt_file_have_line_numbers(line):
    with pytest.raises(ZooError, match=r"vocabulary.txt is corrupt: .* in line 2"):
        Vocabulary.from_text(f"the\t3\n{line}\n", Path("vocabulary.txt"))


def test_check_first():
    vocabulary = Vocabulary.of(SENTENCES, specials=(PAD, UNKNOWN))
    vocabulary.check_first((PAD, UNKNOWN))
    Vocabulary().check_first((PAD, UNKNOWN))
    with pytest.raises(ZooError, match=r"must be '<unk>', '<pad>'\. Received: '<pad>', '<unk>'"):
        vocabulary.check_first((UNKNOWN, PAD))
    with pytest.raises(ZooError, match=r"must be '<pad>'\. Received: 'the'\."):
        Vocabulary.of(SENTENCES).check_first((PAD,))


def test_export_metadata():
    vocabulary = Vocabulary.of([["cat", "<end>"]], specials=(PAD, UNKNOWN))
    tokens = [PAD, UNKNOWN, "<end>", "cat"]
    assert vocabulary.export_metadata() == {"tokens": tokens, "pad": 0, "unknown": 1, "end": 2}
