"""Test ARPA files as language models of a word search, on probabilities computed by hand."""

import math

import pytest

from zoo.common.core.errors import ZooError
from zoo.common.language_model.word_lm import boost, open_lm, read_lm_words, score_sentence

pytest.importorskip("flashlight")

# Logarithms to base 10. The bigram "b a" is not listed: its probability is -0.7 (back-off of b) - 0.5.
ARPA = """
\\data\\
ngram 1=5
ngram 2=3

\\1-grams:
-1.5\t<unk>
-99\t<s>\t-0.2
-0.5\ta\t-0.3
-0.6\tb\t-0.7
-0.9\t</s>

\\2-grams:
-0.1\t<s> a
-0.4\ta b
-0.8\tb </s>

\\end\\
"""
A, B, UNKNOWN = 0, 1, 2


@pytest.fixture
def path(tmp_path):
    path = tmp_path / "words.arpa"
    path.write_text(ARPA, "utf-8")
    return path


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ([A, B], -0.1 - 0.4 - 0.8),
        ([A, B, A], -0.1 - 0.4 + (-0.7 - 0.5) + (-0.3 - 0.9)),
        ([UNKNOWN], (-0.2 - 1.5) - 0.9),
        ([], -0.2 - 0.9),
    ],
)
def test_score_of_a_sentence_includes_its_end(path, words, expected):
    found = score_sentence(open_lm(path, ["a", "b"]), words)
    assert found == pytest.approx(math.log(10) * expected, abs=1e-5)


def test_boosts_are_added_to_weighted_scores(path):
    lm = boost(open_lm(path, ["a", "b"]), 0.5, {B: 2.0})
    state, first = lm.score(lm.start(False), A)
    state, second = lm.score(state, B)
    nats = math.log(10)
    assert first == pytest.approx(0.5 * nats * -0.1, abs=1e-5)
    assert second == pytest.approx(0.5 * nats * -0.4 + 2.0, abs=1e-5)
    assert lm.finish(state)[1] == pytest.approx(0.5 * nats * -0.8, abs=1e-5)


def test_without_a_file_all_words_have_the_same_score():
    assert score_sentence(open_lm(None, ["a", "b"]), [A, B]) == 0


def test_special_tokens_are_not_words(path):
    assert read_lm_words(path) == (["a", "b"], True)
    path.write_text(ARPA.replace("-1.5\t<unk>\n", "").replace("ngram 1=5", "ngram 1=4"), "utf-8")
    assert read_lm_words(path) == (["a", "b"], False)


def test_corrupt_file_is_reported_with_its_line(path):
    path.write_text(ARPA.replace("-0.4\ta b", "zero\ta b"), "utf-8")
    with pytest.raises(ZooError, match=r"words\.arpa, line 15: "):
        open_lm(path, ["a", "b"])
