"""Word vectors: neighbours, analogies, rank correlation, and files for other tools."""

import struct

import numpy as np
import pytest

from zoo.common.core.errors import ZooError
from zoo.language.embeddings.similarity import (
    WORDSIM,
    agreement,
    agreements,
    answer_questions,
    read_pairs,
    read_questions,
)
from zoo.language.embeddings.vector_files import WRITERS, write_vectors
from zoo.language.embeddings.word_vectors import WordVectors

WORDS = ("king", "queen", "man", "woman", "apple")
# The axes are royal, female and a third one. Cosines do not depend on the lengths.
VECTORS = WordVectors(
    WORDS, np.array([[2, 0, 0], [1, 1, 0], [0.1, 0, 0.1], [0, 1, 1], [0, 0, 5]], np.float32)
)


def find(word):
    return word.lower() if word.lower() in WORDS else None


def test_neighbours_have_the_largest_cosines():
    found = VECTORS.neighbours("king", 3)
    assert [row["word"] for row in found] == ["queen", "man", "woman"]
    np.testing.assert_allclose(
        [row["similarity"] for row in found], [0.5**0.5, 0.5**0.5, 0], atol=1e-6
    )
    assert len(VECTORS.neighbours("king", 100)) == 4
    assert VECTORS.cosine("queen", "woman") == pytest.approx(0.5)


def test_analogy_is_the_word_nearest_to_b_minus_a_plus_c():
    vectors = WordVectors(
        ("man", "king", "woman", "queen", "apple"),
        np.array([[1, 0, 0.2], [1, 1, 0.2], [0, 0, 1], [0.2, 1, 1], [1, -1, 0]], np.float32),
    )
    unit = vectors.unit
    target = unit[1] - unit[0] + unit[2]
    cosine = unit @ target / np.linalg.norm(target)
    best = vectors.analogy("man", "king", "woman", 2)
    assert [row["word"] for row in best] == ["queen", "apple"]
    assert best[0]["similarity"] == pytest.approx(float(cosine[3]), abs=1e-6)
    assert vectors.solve([("man", "king", "woman"), ("king", "man", "queen")]) == ["queen", "woman"]


def test_questions_are_answered_by_section(tmp_path):
    path = tmp_path / "questions-words.txt"
    path.write_text(
        ": family\nKing queen man woman\nking queen man apple\n: fruit\nking pear man woman\n"
    )
    rows = answer_questions(VECTORS, find, read_questions(path))
    assert rows == [
        {"section": "family", "correct": 1, "covered": 2, "total": 2, "accuracy": 0.5},
        {"section": "fruit", "correct": 0, "covered": 0, "total": 1, "accuracy": None},
        {"section": "all", "correct": 1, "covered": 2, "total": 3, "accuracy": 0.5},
    ]
    path.write_text(": family\nking queen man\n")
    with pytest.raises(
        ZooError, match="line 2: a line must have four words, or a colon and a name"
    ):
        read_questions(path)


def test_agreement_is_measured_on_pairs_in_the_vocabulary(tmp_path):
    """The cosines 0.707, 0.5, 0 and the scores 5, 9, 1 have rho = 1 - 6 * 2 / 24."""
    path = tmp_path / "EN-TINY.txt"
    path.write_text("king\tqueen\t5\nQueen woman 9\nking apple 1\nking pear 10\n")
    found = agreement(VECTORS, find, "EN-TINY", read_pairs(path))
    assert (found.spearman, found.covered, found.total) == (pytest.approx(0.5), 3, 4)
    assert agreements(VECTORS, find, tmp_path) == [found]
    assert found.text == "EN-TINY: spearman 0.5000, 3 of 4 pairs in the vocabulary"
    (tmp_path / "EN-TINY.txt").write_text("king queen 5\nking pear 1\n")
    (none,) = agreements(VECTORS, find, tmp_path)
    assert none.text == "EN-TINY: spearman none, 1 of 2 pairs in the vocabulary"


def test_wordsim_is_complete():
    pairs = read_pairs(WORDSIM)
    assert len(pairs) == 353
    assert pairs[1] == (2, ("tiger", "cat"), 7.35)
    assert {pair.words for pair in pairs} >= {("Jerusalem", "Israel"), ("money", "cash")}


@pytest.mark.parametrize("line", ["king queen", "king queen much", "king queen nan", "a b c 1"])
def test_invalid_line_of_a_list_is_rejected(tmp_path, line):
    (tmp_path / "EN-X.txt").write_text(f"king queen 5\n{line}\n")
    with pytest.raises(ZooError, match=r"EN-X\.txt, line 2: a"):
        agreements(VECTORS, find, tmp_path)


def test_folder_without_lists_is_rejected(tmp_path):
    with pytest.raises(ZooError, match="the folder must have lists of word pairs"):
        agreements(VECTORS, find, tmp_path / "none")


# Files

ODD = WordVectors(
    ("the", "été", "x"), np.array([[1 / 3, -2e-20, 3], [0, 1e10, -1], [5, 6, 7]], np.float32)
)


def test_word2vec_text(tmp_path):
    (path,) = write_vectors(ODD, "word2vec-text", tmp_path / "v")
    head, *lines = path.read_text(encoding="utf-8").splitlines()
    assert (path.name, head) == ("v.txt", "3 3")
    assert [line.split(" ")[0] for line in lines] == list(ODD.words)
    read = np.array([line.split(" ")[1:] for line in lines], np.float32)
    np.testing.assert_array_equal(read, ODD.vectors)


def test_word2vec_binary(tmp_path):
    """Read byte by byte, as distance.c of word2vec does."""
    (path,) = write_vectors(ODD, "word2vec-binary", tmp_path / "v")
    with path.open("rb") as file:
        count, size = map(int, file.readline().split())
        words, rows = [], []
        for _ in range(count):
            word = b"".join(iter(lambda: file.read(1), b" "))
            words.append(word.strip().decode())
            rows.append(struct.unpack(f"<{size}f", file.read(4 * size)))
        assert file.read() == b"\n"
    assert tuple(words) == ODD.words
    np.testing.assert_array_equal(np.array(rows, np.float32), ODD.vectors)


@pytest.mark.parametrize("binary", [False, True])
def test_gensim_reads_word2vec(tmp_path, binary):
    gensim = pytest.importorskip("gensim")
    (path,) = write_vectors(ODD, f"word2vec-{'binary' if binary else 'text'}", tmp_path / "v")
    read = gensim.models.KeyedVectors.load_word2vec_format(path, binary=binary)
    assert read.index_to_key == list(ODD.words)
    np.testing.assert_array_equal(read.vectors, ODD.vectors)


def test_gensim_agrees_about_neighbours_analogies_and_wordsim():
    gensim = pytest.importorskip("gensim")
    words = sorted({word.lower() for pair in read_pairs(WORDSIM) for word in pair.words})[:300]
    rows = np.random.default_rng(0).normal(size=(300, 8)).astype(np.float32)
    vectors, theirs = WordVectors(tuple(words), rows), gensim.models.KeyedVectors(8)
    theirs.add_vectors(words, rows)
    known = set(words)
    ours = agreement(
        vectors, lambda w: w.lower() if w.lower() in known else None, "", read_pairs(WORDSIM)
    )
    _, (spearman, _), _ = theirs.evaluate_word_pairs(str(WORDSIM), restrict_vocab=300)
    assert ours.spearman == pytest.approx(float(spearman), abs=1e-6)
    near = [row["word"] for row in vectors.neighbours(words[0], 10)]
    assert near == [word for word, _ in theirs.most_similar(words[0])]
    a, b, c = words[:3]
    right = theirs.most_similar(positive=[b, c], negative=[a], topn=1)[0]
    (answer,) = vectors.analogy(a, b, c, 1)
    assert (answer["word"], answer["similarity"]) == (right[0], pytest.approx(right[1], abs=1e-5))


def test_projector_files(tmp_path):
    rows, words = write_vectors(ODD, "projector", tmp_path / "v")
    assert (rows.name, words.name) == ("v-vectors.tsv", "v-words.tsv")
    read = [line.split("\t") for line in rows.read_text().splitlines()]
    np.testing.assert_array_equal(np.array(read, np.float32), ODD.vectors)
    assert words.read_text(encoding="utf-8") == "the\nété\nx\n"


def test_unknown_format_is_rejected():
    assert set(WRITERS) == {"word2vec-text", "word2vec-binary", "projector"}
    with pytest.raises(ZooError, match="--to must be one of 'word2vec-text'"):
        write_vectors(ODD, "csv", None)
