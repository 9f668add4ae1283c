"""Moving skeletons with their actions, as a data kind."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from zoo.common.core.baseline import Baseline, Baselines
from zoo.common.core.data import Item
from zoo.common.core.errors import check_range
from zoo.common.core.predictor import Predictor
from zoo.common.data.manifests import digest, find_below, parse_json_lines, text_field
from zoo.common.runtime.keras_model import MODEL
from zoo.vision_language.motion.data import Clips
from zoo.vision_language.motion.skeleton_changes import SkeletonChanges, change
from zoo.vision_language.motion.skeleton_files import (
    JOINTS,
    SUFFIXES,
    Skeleton,
    check_joints,
    fill_missing,
    parse_joints,
    read_skeleton,
)

COORDINATES = 3 * len(JOINTS)


@dataclass(frozen=True)
class Skeletons(Clips, Baselines):
    """Movements of a body as skeletons of 20 joints, with one action each. See `Clips`.

    The input of the model is `joints` float32 [batch, time, 60]: x, y and z of each joint in metres,
    where y grows upwards.

    Args:
        labels: the actions; if empty, `adapt` takes them from the examples.
        frame_rate: frames per second.
        changes: random changes in training.
    """

    input_example: ClassVar[str] = "movement.json"
    accepts_arrays: ClassVar[bool] = True

    frames: ClassVar[str] = "joints"

    changes: SkeletonChanges = field(default_factory=SkeletonChanges)

    def __post_init__(self):
        super().__post_init__()
        check_range("data.frame_rate", self.frame_rate, at_least=0.1, at_most=1_000)

    @property
    def frame_shape(self) -> tuple[int, ...]:
        return (COORDINATES,)

    # Reading

    def read_manifest(self, path: Path) -> list[Skeleton]:
        """Return the movements of JSON lines with `action` and `joints`.

        `joints` has the form of `zoo.vision_language.motion.skeleton_files`. A line may have `id`,
        `subject` and `split`.
        """
        count = itertools.count(1)

        def parse(row: dict[str, Any]) -> Skeleton:
            given = {key: text_field(row, key) for key in ("subject", "split") if key in row}
            id_ = text_field(row, "id") if "id" in row else f"movement {next(count)}"
            joints = fill_missing(parse_joints(row))
            return Skeleton(id_, text_field(row, "action").strip(), joints, **given)

        return parse_json_lines(path, parse)

    def group_of(self, example: Skeleton) -> str:
        """Return the subject, so that dev has other people than train."""
        return example.subject

    def checksum(self, examples: list[Skeleton]) -> str:
        return digest((e.id, e.label, zlib.crc32(e.joints.tobytes())) for e in examples)

    # Training

    def augment(self, frames: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        joints = frames.reshape(len(frames), -1, 3)
        changed = change(joints, self.changes, generator)
        return changed.reshape(len(changed), -1)

    def baselines(
        self, predictor: Predictor[Any, Any, Any], examples: list[Any], seed: int
    ) -> list[Baseline]:
        from zoo.vision_language.motion.baselines import skeleton_baselines

        return skeleton_baselines(predictor, examples, seed)

    # Use

    def find_inputs(self, source: str) -> list[str]:
        return find_below(source, SUFFIXES, "skeletons")

    def read_input(self, source: Any, model: Any) -> Item:
        """Return the joints of a JSON or text file, or of an array.

        Args:
            source: path of a file, or float [frames, 20, 3] in metres, NaN or zeros for a missing joint.
            model: config of the model.
        """
        if isinstance(source, str | Path):
            return self._item(read_skeleton(Path(source)))
        return self._item(fill_missing(check_joints(source)))

    def read_example(self, example: Skeleton, model: Any) -> Item:
        return self._item(example.joints)

    def sort_key(self, example: Skeleton) -> float:
        return len(example.joints)

    def _item(self, joints: np.ndarray) -> Item:
        times = np.arange(len(joints) + 1) / self.frame_rate
        return {"joints": joints.reshape(len(joints), -1), "times": times}

    def plot_input(
        self, predictor: Predictor[Any, Any, Any], task: Any, source: Any, path: Path
    ) -> None:
        """Draw the skeleton at several times, and the probabilities of actions over time."""
        from zoo.vision_language.motion.plots import plot_clip, skeleton_panel

        plot_clip(predictor, source, path, skeleton_panel)

    # Export

    def example_inputs(self, model: Any, decoder: Any) -> dict[str, list[dict[str, Any]]]:
        """Return movements of several lengths, one by one and as one batch."""
        items = [self._item(waving(frames)) for frames in (9, 24, 40)]
        batches = [self.collate([item]) for item in items] + [self.collate(items)]
        return {"serving_default": batches, MODEL: batches}


def waving(frames: int, faster: float = 1.0) -> np.ndarray:
    """Return the joints of a body that waves one hand, float32 [frames, 20, 3].

    Args:
        frames: number of frames.
        faster: factor of the speed.
    """
    still = np.array([
        (-0.18, 0.36), (0.18, 0.36), (0, 0.4), (0, 0.2), (-0.1, 0), (0.1, 0), (0, 0),
        (-0.25, 0.1), (0.25, 0.1), (-0.27, -0.15), (0.27, -0.15), (-0.27, -0.24), (0.27, -0.24),
        (-0.1, -0.45), (0.1, -0.45), (-0.1, -0.85), (0.1, -0.85), (-0.12, -0.9), (0.12, -0.9),
        (0, 0.65),
    ])  # fmt: skip
    joints = np.zeros((frames, len(JOINTS), 3), np.float32)
    joints[:, :, :2], joints[:, :, 2] = still, 2.5
    angle = 0.8 * np.sin(0.4 * faster * np.arange(frames))
    elbow = JOINTS.index("left elbow")
    for name, length in (("left wrist", 0.25), ("left hand", 0.33)):
        at = joints[:, JOINTS.index(name)]
        at[:, 0] = joints[:, elbow, 0] + length * np.sin(angle)
        at[:, 1] = joints[:, elbow, 1] + length * np.cos(angle)
    return joints
