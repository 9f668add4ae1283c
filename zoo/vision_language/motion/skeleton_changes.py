"""Random changes of a moving skeleton in training: seen from elsewhere, mirrored, faster, with gaps."""

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
# The pace changes at so many evenly spaced times.
KNOTS = 4
# No change leaves fewer frames.
FEWEST = 4


@dataclass(frozen=True)
class SkeletonChanges:
    """How large the changes of a movement may be, drawn for each movement in each epoch.

    rotation: float. The largest turn about the vertical axis, in degrees.
    mirror: float. Probability that left and right are exchanged.
    stretch: float. The largest change of a body's height against its width, as a natural logarithm.
    tempo: float. The largest change of the pace of the whole, as a natural logarithm.
    warp: float. The largest change of the pace of a part against the whole, as a natural logarithm.
    drop: float. Share of the frames that are dropped.
    noise: float. Standard deviation of an error of each joint in each frame, in metres.
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
        joints: float32 [frames, 20, 3]. by: how large they may be. generator: draws them.

    Returns:
        float32 [other frames, 20, 3].
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
    """The places among the frames that the changed movement shows, from the first to the last."""
    count = max(FEWEST, round(frames * np.exp(by.tempo * generator.uniform(-1, 1))))
    pace = np.exp(by.warp * generator.uniform(-1, 1, KNOTS))
    steps = np.interp(np.linspace(0, KNOTS - 1, count), range(KNOTS), pace)
    places = np.cumsum(steps) - steps[0]
    places *= (frames - 1) / places[-1]
    kept = generator.random(count) >= by.drop
    return places[kept] if kept.sum() >= FEWEST else places


def _at(joints: np.ndarray, places: np.ndarray) -> np.ndarray:
    """The joints at places between frames, by linear interpolation."""
    before = np.minimum(places.astype(int), len(joints) - 1)
    after = np.minimum(before + 1, len(joints) - 1)
    share = (places - before)[:, np.newaxis, np.newaxis]
    return joints[before] * (1 - share) + joints[after] * share
