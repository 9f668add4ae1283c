"""Baselines of word vectors: a factorization of pointwise mutual information (PPMI and SVD).

Levy & Goldberg, "Neural word embedding as implicit matrix factorization" (2014); Levy, Goldberg & Dagan,
"Improving distributional similarity with lessons learned from word embeddings" (2015).
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy.sparse import csr_array
from sklearn.utils.extmath import randomized_svd

from zoo.common.core.baseline import Baseline
from zoo.common.core.model import Graphs
from zoo.common.core.predictor import Predictor

# Size and window were chosen on the word pairs of MEN (Bruni, Tran & Baroni 2014).
SIZE, WINDOW = 200, 10
# A context word is weighted by its count to this power, as in word2vec.
SMOOTHING = 0.75


def word_baselines(
    predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
) -> list[Baseline]:
    """Return the vectors, whose size is at most that of the vocabulary. See `Baselines.baselines`."""
    size = min(SIZE, len(predictor.data.vocabulary) - 1)
    fit = partial(_fit, predictor, examples, size, seed)
    return [Baseline(f"PPMI and SVD of size {size}", fit)]


def _fit(
    predictor: Predictor[Any, Any, Any], examples: list[Any], size: int, seed: int
) -> Predictor[Any, Any, Any]:
    data = predictor.data
    texts = [data.encode(example) for example in examples]
    ppmi = positive_information(count_pairs(texts, len(data.vocabulary)))
    u, values, v = randomized_svd(ppmi, size, random_state=seed)
    scale = np.sqrt(values)
    vectors, contexts = (u * scale).astype(np.float32), (v.T * scale).astype(np.float32)

    def embed(tokens: np.ndarray) -> dict[str, np.ndarray]:
        return {"vectors": vectors[tokens]}

    def score(context: np.ndarray, candidates: np.ndarray) -> dict[str, np.ndarray]:
        around = contexts[context].sum(axis=1)[:, :, np.newaxis]
        return {"scores": (vectors[candidates] @ around)[:, :, 0]}

    return replace(predictor, graphs=Graphs("sklearn", {"embed": embed, "score": score}))


def count_pairs(texts: list[np.ndarray], size: int) -> csr_array:
    """Return the number of times that each pair of words occurs within `WINDOW` words of each other.

    Args:
        texts: int32 [tokens] each; index 0, the unknown word, is not counted.
        size: size of the vocabulary.

    Returns:
        Sparse, symmetric, float64 [size, size]. A pair at distance d counts 1 - (d - 1) / `WINDOW`, the
        mean over windows of random sizes.
    """
    counts = csr_array((size, size), dtype=np.float64)
    for text in texts:
        for distance in range(1, WINDOW + 1):
            pairs = text[:-distance], text[distance:]
            weights = np.full(len(pairs[0]), 1 - (distance - 1) / WINDOW)
            weights[(pairs[0] == 0) | (pairs[1] == 0)] = 0
            counts = counts + csr_array((weights, pairs), shape=(size, size))
    return counts + counts.T


def positive_information(counts: csr_array) -> csr_array:
    """Return max(0, log p(word, context) / (p(word) p(context))), with smoothed p(context)."""
    pairs = counts.tocoo()
    words = np.asarray(counts.sum(axis=1)).ravel()
    contexts = words**SMOOTHING
    row, column = pairs.coords
    expected = words[row] * contexts[column] / max(contexts.sum(), 1e-12)
    with np.errstate(divide="ignore", invalid="ignore"):
        values = np.log(pairs.data) - np.log(expected)
    kept = values > 0
    return csr_array((values[kept], (row[kept], column[kept])), shape=counts.shape)
