"""Baselines of clips: linear SVMs of statistics of the movement over time."""

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
# Minimum distance from neck to hips in metres, and minimum of a divisor.
SHORTEST = 1e-3


def skeleton_baselines(predictor: Classifier, examples: list[Any], seed: int) -> list[Baseline]:
    """Return SVMs on `statistics`. See `Baselines.baselines`."""
    return class_baselines(predictor, examples, statistics, _machines("the joints", seed))


def video_baselines(predictor: Classifier, examples: list[Any], seed: int) -> list[Baseline]:
    """Return SVMs on `frame_differences`. See `Baselines.baselines`."""
    machines = _machines("differences of frames", seed)
    return class_baselines(predictor, examples, frame_differences, machines)


def _machines(of: str, seed: int) -> dict[str, Any]:
    return {
        f"linear SVM (C={c:g}) on statistics of {of}": make_pipeline(
            StandardScaler(), LinearSVC(C=c, random_state=seed)
        )
        for c in STRENGTHS
    }


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
    return _in_parts(placed.reshape(len(placed), -1))


def _in_parts(values: np.ndarray) -> np.ndarray:
    """Return mean, deviation, limits and mean speed of each column in parts of a clip.

    Args:
        values: float [time, columns].
    """
    speeds = np.abs(np.diff(values, axis=0, prepend=values[:1]))
    found = []
    for count in DIVISIONS:
        edges = np.linspace(0, len(values), count + 1).astype(int)
        for begin, end in itertools.pairwise(edges):
            part = slice(min(begin, len(values) - 1), max(end, begin + 1))
            found += [f(values[part], axis=0) for f in (np.mean, np.std, np.min, np.max)]
            found.append(speeds[part].mean(axis=0))
    return np.concatenate(found)


def frame_differences(inputs: dict[str, np.ndarray]) -> np.ndarray:
    """Return statistics of `optical_flow` in parts of each clip.

    Args:
        inputs: `images` float32 [batch, time, size, size, 3] and `lengths` int32 [batch].

    Returns:
        float64 [batch, features].
    """
    clips = zip(inputs["images"], inputs["lengths"], strict=True)
    return np.array([_in_parts(optical_flow(images[:length])) for images, length in clips])


def optical_flow(images: np.ndarray) -> np.ndarray:
    """Return the global movement between consecutive frames.

    A shift, a change of size and a rotation about the centre of the change are each fitted by least
    squares to the difference of two frames and its spatial gradients (Lucas & Kanade, "An iterative
    image registration technique with an application to stereo vision", 1981).

    Args:
        images: float32 [time, size, size, 3], RGB from 0 to 255.

    Returns:
        float64 [max(1, time - 1), 5]: shift in x and in y, growth, rotation, and the mean absolute
        difference.
    """
    grey = images.mean(axis=-1, dtype=np.float64)
    if len(grey) < 2:
        return np.zeros((1, 5))
    by_time = np.diff(grey, axis=0)
    by_y, by_x = np.gradient((grey[1:] + grey[:-1]) / 2, axis=(1, 2))
    changes = np.abs(by_time)
    mass = np.maximum(changes.sum(axis=(1, 2)), SHORTEST)[:, np.newaxis, np.newaxis]
    y, x = np.indices(grey.shape[1:])
    x, y = (each - (changes * each / mass).sum(axis=(1, 2), keepdims=True) for each in (x, y))
    directions = (by_x, by_y, x * by_x + y * by_y, x * by_y - y * by_x)
    fits = [
        -(by_time * each).sum(axis=(1, 2)) / np.maximum((each**2).sum(axis=(1, 2)), SHORTEST)
        for each in directions
    ]
    return np.stack([*fits, changes.mean(axis=(1, 2))], axis=1)
