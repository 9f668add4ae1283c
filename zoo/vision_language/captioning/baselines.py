"""Baselines of captioning: the consensus of the captions of the nearest images.

Devlin et al., "Exploring nearest neighbor approaches for image captioning" (2015). Images are compared
by the cosine of mean features of VGG16, captions by the cosine of TF-IDF of n-grams.
"""

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
from zoo.common.tasks.sequence_to_sequence import SENTENCES
from zoo.vision_language.captioning.captioner import ENCODER_FROM_FEATURES
from zoo.vision_language.captioning.captions import words
from zoo.vision_language.captioning.features import cached_features

# Numbers of images whose captions are compared.
NEIGHBOURS = (10, 20, 40, 80)
# Maximum length of the n-grams, as in CIDEr.
ORDER = 4


def consensus_baselines(predictor: Predictor[Any, Any, Any], examples: list[Any]) -> list[Baseline]:
    """Return searches among different numbers of images. See `Baselines.baselines`."""
    table, rows, _ = cached_features(examples, predictor.model.encoder.fixed_blocks)
    features = _pooled(table[rows])
    captions = [[" ".join(words(caption)) for caption in e.captions] for e in examples]

    def fit(count: int) -> Predictor[Any, Any, Any]:
        index = NearestNeighbors(n_neighbors=count, metric="cosine").fit(features)
        vectorizer = TfidfVectorizer(token_pattern=r"\S+", ngram_range=(1, ORDER))
        vectorizer.fit(caption for of_image in captions for caption in of_image)
        graph = partial(_caption, index, vectorizer, captions)
        return replace(predictor, graphs=Graphs("sklearn", {ENCODER_FROM_FEATURES: graph}))

    counts = sorted({min(count, len(examples)) for count in NEIGHBOURS})
    return [
        Baseline(f"consensus of the captions of {count} nearest images", partial(fit, count))
        for count in counts
    ]


def _pooled(features: np.ndarray) -> np.ndarray:
    """Return the mean over places, float32 [images, channels]."""
    return features.mean(axis=(1, 2), dtype=np.float32)


def _caption(
    index: NearestNeighbors,
    vectorizer: TfidfVectorizer,
    captions: list[list[str]],
    features: np.ndarray,
) -> dict[str, np.ndarray]:
    nearest = index.kneighbors(_pooled(features), return_distance=False)
    found = [consensus([text for i in row for text in captions[i]], vectorizer) for row in nearest]
    return {SENTENCES: np.array(found, object)}


def consensus(captions: list[str], vectorizer: TfidfVectorizer) -> str:
    """Return the caption with the highest mean similarity to all others.

    Args:
        captions: captions of several images.
        vectorizer: computes vectors of length 1 from captions.
    """
    vectors = vectorizer.transform(captions)
    similarities = vectors @ np.asarray(vectors.sum(axis=0)).ravel()
    return captions[int(similarities.argmax())]
