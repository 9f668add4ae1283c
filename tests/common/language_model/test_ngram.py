"""Compare n-gram models with their definition and with KenLM, and test ARPA files."""

import gzip
import itertools
import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.common.language_model.arpa import read_arpa, read_words, write_arpa
from zoo.common.language_model.ngram import END, count_ngrams

WORDS = ("</s>", "a", "b", "c", "d")


@pytest.fixture(scope="module")
def text():
    """Return 400 sentences of a Markov chain over four words, int [tokens]."""
    generator = np.random.default_rng(0)
    chain = np.array([[0.1, 0.5, 0.2, 0.2, 0], *generator.dirichlet(np.ones(5) / 2, size=4)])
    tokens = [END]
    while tokens.count(END) <= 400:
        tokens.append(int(generator.choice(5, p=chain[tokens[-1]])))
    return np.array(tokens[1:])


@pytest.fixture(scope="module")
def model(text):
    return count_ngrams([text], 4, WORDS)


def same(one, other):
    """Return whether two models have identical words, n-grams and logarithms."""
    pairs = zip(one.orders, other.orders, strict=True)
    return one.words == other.words and all(
        np.array_equal(getattr(a, name), getattr(b, name))
        for a, b in pairs
        for name in ("keys", "log_probs", "backoffs")
    )


# Counting -----------------------------------------------------------------------------------------


def test_probabilities_equal_hand_computed_values():
    """The sentences are "a b" and "a". Too small to estimate discounts, so they are 0.5 and 1."""
    model = count_ngrams([np.array([1, 2, END, 1, END])], 2, WORDS[:3])
    unigrams = [(2 - 1) / 4 + 0.5 / 3, 0.5 / 4 + 0.5 / 3, 0.5 / 4 + 0.5 / 3]
    probabilities = np.exp(model.log_probs(np.array([[END, 1, 2]]), np.array([[END]])))
    end, a, b = unigrams
    expected = [
        [0.5 * end, (2 - 1) / 2 + 0.5 * a, 0.5 * b],
        [0.25 + 0.5 * end, 0.5 * a, 0.25 + 0.5 * b],
        [0.5 + 0.5 * end, 0.5 * a, 0.5 * b],
    ]
    np.testing.assert_allclose(probabilities[0], expected, rtol=1e-5)
    np.testing.assert_allclose(10 ** model.orders[0].log_probs, unigrams, rtol=1e-6)


def kneser_ney(text, order):
    """Return a function for the probability of a word after its history, by the formulas."""
    sentences, start = [], 0
    for end in np.flatnonzero(text == END):
        sentences.append(("<s>", *text[start : end + 1].tolist()))
        start = end + 1
    seen = {n: Counter() for n in range(1, order + 1)}
    for sentence in sentences:
        for n in seen:
            seen[n].update(sentence[i : i + n] for i in range(len(sentence) - n + 1))
    del seen[1][("<s>",)]
    counts = {order: seen[order]}
    for n in range(1, order):
        before = Counter(ngram[1:] for ngram in seen[n + 1])
        counts[n] = {ngram: before[ngram] or count for ngram, count in seen[n].items()}
    discounts = {}
    for n in counts:
        n1, n2, n3, n4 = (sum(c == k for c in counts[n].values()) for k in (1, 2, 3, 4))
        if n1 * n2 * n3 * n4:
            y = n1 / (n1 + 2 * n2)
            discounts[n] = (0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3)
        if n not in discounts or min(discounts[n][1:]) <= 0:
            discounts[n] = (0, 0.5, 1, 1.5)
    followers = {n: defaultdict(dict) for n in counts}
    for n in counts:
        for ngram, count in counts[n].items():
            followers[n][ngram[:-1]][ngram[-1]] = count

    def probability(word, history):
        n = len(history) + 1
        after = followers[n].get(history, {})
        below = probability(word, history[1:]) if n > 1 else 1 / len(WORDS)
        if not after:
            return below
        total, discount = sum(after.values()), discounts[n]
        left = sum(discount[min(count, 3)] for count in after.values()) / total
        count = after.get(word, 0)
        return (count - discount[min(count, 3)]) / total + left * below

    return probability


@pytest.mark.parametrize("order", [1, 2, 3, 5])
def test_smoothing_equals_chen_and_goodman(text, order):
    model, probability = count_ngrams([text], order, WORDS), kneser_ney(text, order)
    read = text[:300]
    history = np.full((1, order - 1), END)
    log_probs = model.log_probs(np.concatenate([[END], read])[np.newaxis], history)[0]
    past = ("<s>",)
    for token, row in zip([*read, None], log_probs, strict=True):
        shown = past[len(past) - min(len(past), order - 1) :]
        expected = [probability(word, shown) for word in range(5)]
        np.testing.assert_allclose(np.exp(row), expected, rtol=1e-5)
        past = ("<s>",) if token == END else (*past, token)


def test_probabilities_sum_to_one_after_any_history(model):
    histories = np.array(list(itertools.product(range(5), repeat=3)))
    log_probs = model.log_probs(histories[:, -1:], np.roll(histories, 1, axis=1))
    np.testing.assert_allclose(np.exp(log_probs).sum(axis=-1), 1, atol=1e-5)


def test_no_ngram_crosses_the_end_of_a_sentence(model):
    tokens = np.array([[END]])
    expected = model.log_probs(tokens, np.array([[END, END, END]]))
    for history in ([1, 2, 3], [3, END, 1], [END, 4, 4]):
        np.testing.assert_array_equal(model.log_probs(tokens, np.array([history])), expected)


def test_texts_are_counted_together(text):
    """The end of a text is also the end of its last sentence."""
    cut = int(np.flatnonzero(text == END)[200]) + 1
    whole = count_ngrams([text], 3, WORDS)
    assert same(count_ngrams([text[:cut], text[cut:]], 3, WORDS), whole)
    assert same(count_ngrams([text[: cut - 1], text[cut:]], 3, WORDS), whole)


def test_order_above_the_sentence_length_has_no_effect():
    text = np.array([1, 2, END, 1, END])
    long, short = (count_ngrams([text], order, WORDS) for order in (7, 4))
    assert [len(ngrams.keys) for ngrams in long.orders] == [5, 4, 3, 1, 0, 0, 0]
    other = np.array([4, 3, END, 1, 2, END])
    np.testing.assert_array_equal(long.score(other), short.score(other))


def test_score_equals_log_probs_of_the_next_token(model, text):
    tokens = np.concatenate([[END], text[:200]])[np.newaxis]
    log_probs = model.log_probs(tokens[:, :-1], np.full((1, 3), END))[0]
    expected = log_probs[np.arange(200), text[:200]]
    np.testing.assert_allclose(model.score(text[:200]), expected, rtol=1e-5)


# ARPA ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["model.arpa", "model.arpa.gz"])
def test_write_and_read_give_the_same_model(model, tmp_path, name):
    path = tmp_path / name
    write_arpa(model, path)
    assert same(read_arpa(path), model)
    before = path.read_bytes()
    write_arpa(model, path)
    assert path.read_bytes() == before
    content = gzip.decompress(before) if name.endswith(".gz") else before
    assert content.startswith(b"\\data\\\nngram 1=6\nngram 2=")


def test_scores_equal_kenlm(model, tmp_path):
    kenlm = pytest.importorskip("kenlm")
    write_arpa(model, tmp_path / "model.arpa")
    theirs = kenlm.Model(str(tmp_path / "model.arpa"))
    generator = np.random.default_rng(1)
    for length in (0, 1, 2, 5, 40):
        tokens = np.append(generator.integers(1, 5, length), END)
        sentence = " ".join(WORDS[token] for token in tokens[:-1])
        expected = [log for log, *_ in theirs.full_scores(sentence)]
        np.testing.assert_allclose(model.score(tokens) / math.log(10), expected, atol=2e-6)


FOREIGN = """made by another tool

\\data\\
ngram 1=4
ngram  2 = 4

\\1-grams:
-1.0 <unk>
-99 <s> -0.5
-0.4\twords\t-0.25
-0.6\t</s>

\\2-grams:
-0.1 <s> words
-0.3 words </s>
-0.9 words <unk>
-0.2 </s> <s>

\\end\\
"""


def test_read_file_of_another_tool(tmp_path):
    """Spaces for tabs, no back-offs, words in any order, an n-gram across the end of a sentence."""
    (tmp_path / "other.arpa").write_text(FOREIGN)
    model = read_arpa(tmp_path / "other.arpa")
    assert model.words == ("</s>", "<unk>", "words")
    assert [len(ngrams.keys) for ngrams in model.orders] == [3, 3]
    logs = model.score(np.array([2, 1, END, 1])) / math.log(10)
    np.testing.assert_allclose(logs, [-0.1, -0.9, -0.6, -0.5 - 1.0])


def test_white_space_in_a_word(tmp_path):
    model = count_ngrams([np.array([1, 2, 1, END])], 2, ("\n", " ", "\u2028"))
    path = tmp_path / "characters.arpa"
    write_arpa(model, path)
    assert "<U+0020> <U+2028>" in path.read_text()
    assert read_arpa(path).words == ("</s>", " ", "\u2028")


def test_write_rejects_a_reserved_word(tmp_path):
    model = count_ngrams([np.array([1, END])], 1, ("</s>", "<s>"))
    with pytest.raises(ZooError, match="<s> must not be a word of an n-gram model"):
        write_arpa(model, tmp_path / "model.arpa")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("\\data\\", "data", "is not an ARPA file, or is incomplete"),
        ("ngram 1=4", "", "line 4: must be like 'ngram 1=1000'"),
        ("ngram 1=4", "ngram 1=3", "line 11: must be \\2-grams:. Received: '-0.6\\t</s>'"),
        ("ngram 1=4", "ngram 1=5", "line 12: must be a logarithm, 1 of the unigrams' words"),
        ("-0.4\twords", "0.4\twords", "line 10: must be a logarithm"),
        ("-0.4\twords", "minus\twords", "line 10: must be a logarithm"),
        ("words\t-0.25", "words\tnan", "line 10: must be a logarithm"),
        ("words </s>", "word </s>", "line 15: must be a logarithm, 2 of the unigrams' words"),
        ("\\end\\", "", "is incomplete"),
    ],
)
def test_error_has_the_line_number_of_an_invalid_file(tmp_path, old, new, message):
    path = tmp_path / "bad.arpa"
    path.write_text(FOREIGN.replace(old, new, 1))
    with pytest.raises(ZooError) as error:
        read_arpa(path)
    assert message in str(error.value)
    assert str(path) in str(error.value)
    assert "\n" not in str(error.value)


def test_read_words_rejects_a_corrupt_file(model, tmp_path):
    path = tmp_path / "model.arpa.gz"
    write_arpa(model, path)
    path.write_bytes(path.read_bytes()[:30])
    with pytest.raises(ZooError, match=r"model\.arpa\.gz is a corrupt gzip file"):
        read_words(path)
    path.write_bytes(b"\\data\\\nngram 1=1\n\n\\1-grams:\n-1\tf\xfcnf\n")
    with pytest.raises(ZooError, match="line 5: not UTF-8"):
        read_words(path)


def test_read_rejects_an_ngram_without_its_prefix(tmp_path):
    text = FOREIGN.replace("ngram  2 = 4", "ngram 2=4\nngram 3=1")
    text = text.replace("\\end\\", "\\3-grams:\n-0.5 <s> <unk> words\n\n\\end\\")
    (tmp_path / "bad.arpa").write_text(text)
    with pytest.raises(ZooError, match="line 21: must begin with a 2-gram of the file"):
        read_arpa(tmp_path / "bad.arpa")
