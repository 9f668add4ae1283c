"""Baselines of skeletons: linear SVMs of statistics of each coordinate."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from zoo.common.core.baseline import Baseline
from zoo.common.tasks.class_baselines import class_baselines
from zoo.common.tasks.classification import Classifier
from zoo.vision_language.motion.skeleton_files import HIP_CENTRE, JOINTS, NECK

# A clip is divided into so many parts of equal length.
DIVISIONS = (1, 2, 4)
STRENGTHS = (1e-4, 1e-3, 1e-2)
# Minimum distance from neck to hips in metres.
SHORTEST = 1e-3


def skeleton_baselines(predictor: Classifier, examples: list[Any], seed: int) -> list[Baseline]:
    """Return SVMs on `statistics`. See `Baselines.baselines`."""
    estimators = {
        f"linear SVM (C={c:g}) on statistics of the joints": make_pipeline(
            StandardScaler(), LinearSVC(C=c, random_state=seed)
        )
        for c in STRENGTHS
    }
    return class_baselines(predictor, examples, statistics, estimators)


def statistics(inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return mean, deviation, limits and mean speed of each coordinate in parts of each clip.

    The coordinates are those of the joints relative to the hips, and those of the hips relative to the
    first frame, in units of the mean distance from neck to hips.

    Args:
        inputs: `joints` float32 [batch, time, 3 * joints] and `lengths` int32 [batch].

    Returns:
        float64 [batch, features].
    """
    clips = zip(inputs["joints"], inputs["lengths"], strict=True)
    return np.array([_of_clip(joints[:length].astype(np.float64)) for joints, length in clips])


def _of_clip(joints: np.ndarray) -> np.ndarray:
    points = joints.reshape(len(joints), len(JOINTS), 3)
    hips = points[:, HIP_CENTRE : HIP_CENTRE + 1]
    size = np.linalg.norm(points[:, NECK] - hips[:, 0], axis=1).mean()
    placed = np.concatenate([points - hips, hips - hips[:1]], axis=1) / max(size, SHORTEST)
    values = placed.reshape(len(placed), -1)
    speeds = np.abs(np.diff(values, axis=0, prepend=values[:1]))
    found = []
    for count in DIVISIONS:
        edges = np.linspace(0, len(values), count + 1).astype(int)
        for begin, end in itertools.pairwise(edges):
            part = slice(min(begin, len(values) - 1), max(end, begin + 1))
            found += [f(values[part], axis=0) for f in (np.mean, np.std, np.min, np.max)]
            found.append(speeds[part].mean(axis=0))
    return np.concatenate(found)
