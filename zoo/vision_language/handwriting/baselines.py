"""Baselines of pen strokes: the nearest word for recognition, Gaussian mixtures for generation."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np
from scipy.special import logit
from sklearn.mixture import GaussianMixture
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

from zoo.common.core.baseline import Baseline
from zoo.common.core.model import Graphs
from zoo.common.core.predictor import Predictor
from zoo.common.core.states import STEP
from zoo.common.ctc.one_hot import one_hot_outputs
from zoo.common.runtime.keras_model import MODEL
from zoo.vision_language.handwriting.pen_mixture import next_points

# Numbers of points to which words are resampled.
POINTS = (16, 32, 64)
# Numbers of Gaussians.
COMPONENTS = (5, 20, 50)
# Maximum number of points that mixtures are fitted on.
MAX_POINTS = 100_000
# Maximum absolute value of a correlation and minimum of a probability, so that the outputs are finite.
MAX_CORRELATION, SMALLEST = 0.9999, 1e-6


def word_baselines(predictor: Predictor[Any, Any, Any], examples: list[Any]) -> list[Baseline]:
    """Return searches for the most similar ink, whose text is the answer. See `Baselines.baselines`."""
    data = predictor.data
    inputs = data.collate([data.read_example(example, predictor.model) for example in examples])
    texts = [data.encode(example) for example in examples]

    def fit(count: int) -> Predictor[Any, Any, Any]:
        index = NearestNeighbors(n_neighbors=1).fit(resampled(inputs, count))
        graph = partial(_read, index, texts, count, data.labels.size)
        return replace(predictor, graphs=Graphs("sklearn", {MODEL: graph}))

    return [Baseline(f"nearest word by {count} points", partial(fit, count)) for count in POINTS]


def resampled(inputs: dict[str, np.ndarray], count: int) -> np.ndarray:
    """Return the features of evenly spaced points of each word, and the logarithm of its length.

    Args:
        inputs: `strokes` float32 [batch, points, features] and `lengths` int32 [batch].
        count: number of points.

    Returns:
        float64 [batch, count * features + 1]. The length has the weight of all points.
    """
    rows = []
    for strokes, length in zip(inputs["strokes"], inputs["lengths"], strict=True):
        at = np.linspace(0, length - 1, count)
        columns = [np.interp(at, np.arange(length), column[:length]) for column in strokes.T]
        rows.append(np.append(np.ravel(columns), np.sqrt(count) * np.log(length)))
    return np.array(rows)


def _read(
    index: NearestNeighbors, texts: list[list[int]], count: int, size: int, **inputs: np.ndarray
) -> dict[str, np.ndarray]:
    nearest = index.kneighbors(resampled(inputs, count), return_distance=False)[:, 0]
    return one_hot_outputs([texts[i] for i in nearest], size)


def drawing_baselines(
    predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
) -> list[Baseline]:
    """Return mixtures that do not depend on the points before. See `Baselines.baselines`.

    There is one mixture for points within a stroke, and one for points after the pen was lifted.

    Args:
        predictor: the parts of the recipe.
        examples: drawings of the train split.
        seed: seed of the mixtures.
    """
    data = predictor.data
    points = [data.read_example(example, predictor.model)["points"] for example in examples]
    targets = np.concatenate([next_points(each) for each in points])
    lifted = np.concatenate([each[:-1, 2] for each in points]) > 0
    drawn = np.random.default_rng(seed).permutation(len(targets))[:MAX_POINTS]
    targets, lifted = targets[drawn], lifted[drawn]
    # Every drawing has both kinds, unless it has one stroke: then both are fitted on all points.
    parts = [targets[kind] if kind.sum() > 1 else targets for kind in (~lifted, lifted)]

    def fit(count: int) -> Predictor[Any, Any, Any]:
        outputs = [_mixture_outputs(part, count, seed) for part in parts]
        table = {name: np.stack([each[name] for each in outputs]) for name in outputs[0]}
        graph = partial(_next_point, table)
        return replace(predictor, graphs=Graphs("sklearn", {STEP: graph}))

    smallest = min(map(len, parts))
    counts = sorted({min(count, smallest) for count in COMPONENTS})
    return [
        Baseline(f"mixture of {count} Gaussians for each pen state", partial(fit, count))
        for count in counts
    ]


def _mixture_outputs(targets: np.ndarray, count: int, seed: int) -> dict[str, np.ndarray]:
    """Return the outputs of a network, [count] or [1] each, that give the density of a mixture.

    See `zoo.vision_language.handwriting.pen_mixture`.

    Args:
        targets: float [points, 4], see `next_points`.
        count: number of Gaussians.
        seed: seed of the mixture.
    """
    with threadpool_limits(1):  # threads that wait for a busy processor take many times as long
        model = GaussianMixture(count, random_state=seed).fit(targets[:, :2].astype(np.float64))
    deviations = np.sqrt(np.diagonal(model.covariances_, axis1=1, axis2=2))
    correlations = model.covariances_[:, 0, 1] / deviations.prod(axis=1)
    limit = MAX_CORRELATION
    up = targets[:, 2] > 0
    ends = targets[up, 3].mean() if up.any() else 0.0
    return {
        "weight": np.log(model.weights_),
        "mean_x": model.means_[:, 0],
        "mean_y": model.means_[:, 1],
        "log_sigma_x": np.log(deviations[:, 0]),
        "log_sigma_y": np.log(deviations[:, 1]),
        "correlation": np.arctanh(np.clip(correlations, -limit, limit)),
        "pen_up": logit(np.clip([up.mean()], SMALLEST, 1 - SMALLEST)),
        "end": logit(np.clip([ends], SMALLEST, 1 - SMALLEST)),
    }


def _next_point(
    table: dict[str, np.ndarray], points: np.ndarray, **states: np.ndarray
) -> dict[str, np.ndarray]:
    kinds = (points[..., 2] > 0).astype(int)
    return {name: values[kinds] for name, values in table.items()}
