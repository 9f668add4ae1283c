"""Baselines of translation: the translation of the most similar sentence of the train split."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.neighbors import NearestNeighbors

from zoo.common.core.baseline import Baseline
from zoo.common.core.model import Graphs
from zoo.common.core.predictor import Predictor
from zoo.common.tasks.sequence_to_sequence import ENCODER, SENTENCES
from zoo.language.token_texts import token_texts

# Maximum length of the n-grams of subword pieces.
ORDERS = (1, 2, 3)


def nearest_baselines(predictor: Predictor[Any, Any, Any], examples: list[Any]) -> list[Baseline]:
    """Return searches for the nearest source by TF-IDF. See `Baselines.baselines`."""
    data, model = predictor.data, predictor.model
    items = data.collate([data.read_example(example, model) for example in examples])
    sources = token_texts(items["source"], items["source_lengths"])
    targets = np.array([example.target for example in examples], object)

    def fit(order: int) -> Predictor[Any, Any, Any]:
        vectorizer = TfidfVectorizer(
            token_pattern=r"\S+", ngram_range=(1, order), sublinear_tf=True
        )
        index = NearestNeighbors(n_neighbors=1, metric="cosine")
        index.fit(vectorizer.fit_transform(sources))
        graph = partial(_translate, vectorizer, index, targets)
        return replace(predictor, graphs=Graphs("sklearn", {ENCODER: graph}))

    return [
        Baseline(f"nearest source by TF-IDF of 1- to {order}-grams of pieces", partial(fit, order))
        for order in ORDERS
    ]


def _translate(
    vectorizer: TfidfVectorizer, index: NearestNeighbors, targets: np.ndarray, **inputs: np.ndarray
) -> dict[str, np.ndarray]:
    texts = token_texts(inputs["source"], inputs["source_lengths"])
    nearest = index.kneighbors(vectorizer.transform(texts), return_distance=False)
    return {SENTENCES: targets[nearest[:, 0]]}
