"""Baselines of labelled texts: NB-SVM, a linear SVM of words and pairs of words.

Wang & Manning, "Baselines and bigrams: simple, good sentiment and topic classification" (2012).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import LinearSVC

from zoo.common.core.baseline import Baseline
from zoo.common.tasks.class_baselines import class_baselines
from zoo.common.tasks.classification import Classifier
from zoo.language.token_texts import token_texts

STRENGTHS = (0.03, 0.1, 0.3, 1.0)
# The share of the weights of the SVM that the paper recommends.
INTERPOLATION = 0.25


class NaiveBayesSVM(LinearSVC):
    """A linear SVM whose binary features are multiplied by log-count ratios.

    p = 1 + count in the class, q = 1 + count in the other classes
    r = log(p / |p|_1) - log(q / |q|_1)
    w = r ((1 - b) mean |v| + b v), where v are the weights of an SVM on r x and b is `INTERPOLATION`
    """

    coef_: np.ndarray

    def fit(self, x: Any, y: np.ndarray) -> NaiveBayesSVM:
        """Fit the weights.

        Args:
            x: sparse [texts, features], 0 or 1.
            y: [texts], 1 for the class, 0 for others.
        """
        p, q = (1 + np.asarray(x[y == side].sum(axis=0)).ravel() for side in (1, 0))
        ratios = np.log(p / p.sum()) - np.log(q / q.sum())
        super().fit(x.multiply(ratios).tocsr(), y)
        mean = np.abs(self.coef_).mean()
        self.coef_ = ratios * ((1 - INTERPOLATION) * mean + INTERPOLATION * self.coef_)
        return self


def text_baselines(predictor: Classifier, examples: list[Any], seed: int) -> list[Baseline]:
    """Return NB-SVMs. See `Baselines.baselines`."""
    estimators = {}
    for c in STRENGTHS:
        words = CountVectorizer(token_pattern=r"\S+", ngram_range=(1, 2), binary=True)
        classifier = OneVsRestClassifier(NaiveBayesSVM(C=c, random_state=seed))
        estimators[f"NB-SVM (C={c:g}) on words and pairs of words"] = make_pipeline(
            words, classifier
        )
    return class_baselines(predictor, examples, _features, estimators)


def _features(inputs: dict[str, np.ndarray]) -> np.ndarray:
    return token_texts(inputs["tokens"], inputs["lengths"])
