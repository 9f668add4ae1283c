"""Test the experiment with one-hot and dense word vectors."""

import numpy as np

from tests.lab.harness import lab
from zoo.lab.experiments.words import WORDS, load, rank


def test_words_experiment():
    numbers = lab("words").numbers
    np.testing.assert_array_equal(numbers["cosines"]["one_hot"], np.eye(len(WORDS)))
    dense = np.array(numbers["cosines"]["dense"])
    np.testing.assert_allclose(np.diag(dense), 1, atol=1e-5)
    # Related words are nearer to each other than to the other drawn words.
    for a, b in (("motel", "hotel"), ("monday", "friday"), ("three", "four")):
        row = dense[WORDS.index(a)].copy()
        row[WORDS.index(a)] = -1
        assert row.argmax() == WORDS.index(b)
    assert numbers["places"]["motel from hotel"] < 100
    assert numbers["vocabulary_size"] == 10_000


def test_ranks_start_at_the_nearest_word():
    vectors, counts = load()
    nearest = vectors.neighbours("monday", 3)
    assert [rank(vectors, row["word"], "monday") for row in nearest] == [1, 2, 3]
    assert counts["motel"] == 6
