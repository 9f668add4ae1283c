"""Vocabularies: order, counts, unknown tokens, and the file they are kept in."""

from pathlib import Path

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.data.vocabulary import PAD, UNKNOWN, VOCABULARY_FILE, Vocabulary

SENTENCES = [["the", "cat", "saw", "the", "dog"], ["a", "dog", "saw", "the", "cat"]]


def test_specials_first_then_by_frequency_then_by_name():
    vocabulary = Vocabulary.of(SENTENCES, specials=(PAD, UNKNOWN))
    assert vocabulary.tokens == (PAD, UNKNOWN, "the", "cat", "dog", "saw", "a")
    assert vocabulary.counts == (0, 0, 3, 2, 2, 2, 1)


def test_a_special_that_the_corpus_has_keeps_its_count():
    vocabulary = Vocabulary.of([["<unk>", "x", "<unk>"]], specials=(UNKNOWN,))
    assert vocabulary.tokens == (UNKNOWN, "x")
    assert vocabulary.counts == (2, 1)


def test_rare_tokens_become_unknown():
    vocabulary = Vocabulary.of(SENTENCES, specials=(UNKNOWN,), min_count=2)
    assert "a" not in vocabulary
    assert vocabulary.encode(["a", "cat"]) == [0, 2]
    assert vocabulary.decode([0, 2]) == [UNKNOWN, "cat"]


def test_without_an_unknown_token_an_unknown_token_is_an_error():
    with pytest.raises(ZooError, match="'z' is none of the vocabulary's 3 tokens"):
        Vocabulary.of(["abc"]).encode("az")


@pytest.mark.parametrize("characters", ["ab\n\t\\\r \x0b", "\\n\n", "aä日🙂\u2028"])
def test_what_a_line_cannot_hold_comes_back_from_the_file(characters):
    vocabulary = Vocabulary.of([characters, ["\\n", "\\\\t"]])
    assert Vocabulary.from_text(vocabulary.text(), Path("vocabulary.txt")) == vocabulary


@pytest.mark.parametrize(
    "line", ["word", "word\tmany", "\t3", "the\t2", "word\t-1", "", "word\t" + "9" * 5000]
)
def test_a_corrupt_file_is_told_by_its_line(line):
    with pytest.raises(ZooError, match=r"vocabulary.txt is corrupt: .* in line 2"):
        Vocabulary.from_text(f"the\t3\n{line}\n", Path("vocabulary.txt"))


def test_the_file_of_a_preset_begins_with_the_special_tokens(tmp_path):
    vocabulary = Vocabulary.of(SENTENCES, specials=(PAD, UNKNOWN))
    (tmp_path / VOCABULARY_FILE).write_text(vocabulary.text())
    assert Vocabulary.read(tmp_path, (PAD, UNKNOWN)) == vocabulary
    with pytest.raises(
        ZooError, match=r"first tokens must be <unk>, <pad>\. Received: <pad>, <unk>"
    ):
        Vocabulary.read(tmp_path, (UNKNOWN, PAD))
    (tmp_path / VOCABULARY_FILE).write_text(Vocabulary.of(SENTENCES).text())
    with pytest.raises(ZooError, match=r"first tokens must be <pad>\. Received: the\."):
        Vocabulary.read(tmp_path, (PAD,))


def test_a_program_without_the_zoo_is_told_the_tokens_and_which_are_special():
    vocabulary = Vocabulary.of([["cat", "<end>"]], specials=(PAD, UNKNOWN))
    tokens = [PAD, UNKNOWN, "<end>", "cat"]
    assert vocabulary.facts() == {"tokens": tokens, "pad": 0, "unknown": 1, "end": 2}
