"""Baselines of spelled words: logistic regression on a letter and its neighbours."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from zoo.common.core.baseline import Baseline
from zoo.common.core.model import Graphs
from zoo.common.core.predictor import Predictor
from zoo.common.runtime.keras_model import MODEL
from zoo.common.tasks.class_baselines import check_classes, class_logits
from zoo.common.tasks.tagging import Tagger

# Number of letters before a letter, and after it.
NEIGHBOURS = (1, 2, 3)
STRENGTHS = (1.0, 10.0, 100.0)


def letter_baselines(predictor: Predictor[Any, Any, Any], examples: list[Any]) -> list[Baseline]:
    """Return logistic regressions, which are the same for each seed. See `Baselines.baselines`.

    Raises:
        ZooError: all letters have the same tag.
    """
    data = predictor.data
    inputs = data.collate([data.read_example(example, predictor.model) for example in examples])
    tags = np.concatenate([data.tags_of(example) for example in examples])
    check_classes(tags, data.labels, "letters")

    def fit(neighbours: int, strength: float) -> Tagger:
        encoder = OneHotEncoder(handle_unknown="ignore")
        estimator = make_pipeline(encoder, LogisticRegression(C=strength, max_iter=1000))
        estimator.fit(windows(inputs, neighbours), tags)
        graph = partial(_tag, estimator, neighbours, data.labels.size)
        return replace(predictor, graphs=Graphs("sklearn", {MODEL: graph}))

    return [
        Baseline(
            f"logistic regression (C={strength:g}) on a letter and {neighbours} on each side",
            partial(fit, neighbours, strength),
        )
        for neighbours, strength in itertools.product(NEIGHBOURS, STRENGTHS)
    ]


def windows(inputs: dict[str, np.ndarray], neighbours: int) -> np.ndarray:
    """Return each letter with its neighbours.

    Args:
        inputs: `letters` int32 [batch, time] and `lengths` int32 [batch].
        neighbours: number of letters before a letter, and after it.

    Returns:
        int32 [letters, 2 * neighbours + 1], where 0 is outside of the word.
    """
    letters, inside = inputs["letters"], _inside(inputs)
    padded = np.pad(np.where(inside, letters, 0), ((0, 0), (neighbours, neighbours)))
    views = np.lib.stride_tricks.sliding_window_view(padded, 2 * neighbours + 1, axis=1)
    return views[inside]


def _inside(inputs: dict[str, np.ndarray]) -> np.ndarray:
    return np.arange(inputs["letters"].shape[1]) < inputs["lengths"][:, np.newaxis]


def _tag(estimator: Any, neighbours: int, size: int, **inputs: np.ndarray) -> dict[str, np.ndarray]:
    inside = _inside(inputs)
    logits = np.zeros((*inside.shape, size))
    logits[inside] = class_logits(estimator, windows(inputs, neighbours), size)
    return {"logits": logits, "logit_lengths": inputs["lengths"]}
