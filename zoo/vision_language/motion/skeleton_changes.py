"""Random changes of a moving skeleton in training: rotation, mirror, tempo, dropped frames, noise."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from zoo.common.core.errors import check_range
from zoo.vision_language.motion.skeleton_files import JOINTS

# Joint i of a mirrored body is joint MIRRORED[i] of the body.
MIRRORED = [
    JOINTS.index(name.replace("left", "right") if "left" in name else name.replace("right", "left"))
    for name in JOINTS
]
# Number of evenly spaced times at which the speed changes.
KNOTS = 4
# Minimum number of frames after a change.
FEWEST = 4


@dataclass(frozen=True)
class SkeletonChanges:
    """Limits of the changes, which are drawn for each movement in each epoch.

    Args:
        rotation: maximum rotation about the vertical axis, in degrees.
        mirror: probability that left and right are exchanged.
        stretch: maximum change of width and of height, as a natural logarithm.
        tempo: maximum change of the speed of the whole movement, as a natural logarithm.
        warp: maximum change of the speed of a part, relative to the whole, as a natural logarithm.
        drop: fraction of the frames that are dropped.
        noise: standard deviation of the noise of each coordinate, in metres.
    """

    rotation: float = 20.0
    mirror: float = 0.0
    stretch: float = 0.1
    tempo: float = 0.3
    warp: float = 0.3
    drop: float = 0.1
    noise: float = 0.005

    def __post_init__(self):
        check_range("data.changes.rotation", self.rotation, at_least=0, at_most=180)
        check_range("data.changes.mirror", self.mirror, at_least=0, at_most=1)
        for name in ("stretch", "tempo", "warp", "noise"):
            check_range(f"data.changes.{name}", getattr(self, name), at_least=0, at_most=1)
        check_range("data.changes.drop", self.drop, at_least=0, below=1)


def change(joints: np.ndarray, by: SkeletonChanges, generator: np.random.Generator) -> np.ndarray:
    """Return a movement with random changes.

    Args:
        joints: float32 [frames, 20, 3].
        by: limits of the changes.
        generator: draws the changes.

    Returns:
        float32 [frames, 20, 3], with another number of frames.
    """
    turn = np.deg2rad(by.rotation) * generator.uniform(-1, 1)
    width, height = np.exp(by.stretch * generator.uniform(-1, 1, 2))
    cos, sin = np.cos(turn), np.sin(turn)
    matrix = np.array([[cos, 0, -sin], [0, 1, 0], [sin, 0, cos]]) * [[width], [height], [width]]
    if generator.random() < by.mirror:
        joints, matrix = joints[:, MIRRORED], np.diag([-1.0, 1.0, 1.0]) @ matrix
    joints = _at(joints, _times(len(joints), by, generator)) @ matrix
    return (joints + by.noise * generator.normal(size=joints.shape)).astype(np.float32)


def _times(frames: int, by: SkeletonChanges, generator: np.random.Generator) -> np.ndarray:
    """Return the positions of the new frames, as float indices of the given frames, in order."""
    count = max(FEWEST, round(frames * np.exp(by.tempo * generator.uniform(-1, 1))))
    speed = np.exp(by.warp * generator.uniform(-1, 1, KNOTS))
    steps = np.interp(np.linspace(0, KNOTS - 1, count), range(KNOTS), speed)
    positions = np.cumsum(steps) - steps[0]
    positions *= (frames - 1) / positions[-1]
    kept = generator.random(count) >= by.drop
    return positions[kept] if kept.sum() >= FEWEST else positions


def _at(joints: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Return the joints at positions between frames, by linear interpolation."""
    before = np.minimum(positions.astype(int), len(joints) - 1)
    after = np.minimum(before + 1, len(joints) - 1)
    share = (positions - before)[:, np.newaxis, np.newaxis]
    return joints[before] * (1 - share) + joints[after] * share
