"""PPMI and SVD: counts, information, and the vectors of a small text."""

import numpy as np
import pytest
from scipy.sparse import csr_array

import zoo
from zoo.language.embeddings.baselines import WINDOW, count_pairs, positive_information
from zoo.language.modelling.data import SAMPLE


def test_near_pairs_count_more():
    counts = count_pairs([np.array([1, 2, 0, 3], np.int32)], 4).toarray()
    expected = np.zeros((4, 4))
    for a, b, distance in ((1, 2, 1), (1, 3, 3), (2, 3, 2)):
        expected[a, b] = expected[b, a] = 1 - (distance - 1) / WINDOW
    np.testing.assert_allclose(counts, expected)


def test_information_of_known_counts():
    counts = np.array([[0, 4.0], [4, 8]])
    words = counts.sum(axis=1)
    contexts = words**0.75 / (words**0.75).sum()
    ratio = np.maximum(counts, 1e-9) / (words[:, None] * contexts)
    expected = np.maximum(np.log(ratio), 0)
    np.testing.assert_allclose(positive_information(csr_array(counts)).toarray(), expected)


def test_vectors_of_a_small_text():
    result = zoo.baseline("language/skipgram-enwiki", manifest=SAMPLE)
    assert result.baseline.startswith("PPMI and SVD of size ")
    assert 0 < result.metrics["accuracy"] < 1
    assert result.metrics == pytest.approx(
        zoo.baseline("language/skipgram-enwiki", manifest=SAMPLE).metrics
    )
