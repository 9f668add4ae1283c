"""Moving skeletons with their actions, as a data kind."""

from __future__ import annotations

import itertools
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from zoo.common.core.data import Item, RawInput
from zoo.common.core.errors import check_range
from zoo.common.data.manifests import digest, find_below, parse_json_lines, text_field
from zoo.common.data.sequence_input import sequence_input
from zoo.common.runtime.keras_model import MODEL
from zoo.vision_language.motion.data import Clips
from zoo.vision_language.motion.skeleton_changes import SkeletonChanges, change
from zoo.vision_language.motion.skeleton_files import (
    JOINTS,
    SUFFIXES,
    Skeleton,
    fill_missing,
    parse_joints,
    read_skeleton,
)

if TYPE_CHECKING:
    from zoo.common.core.model import Graphs
    from zoo.common.core.recipe import Recipe

COORDINATES = 3 * len(JOINTS)


@dataclass(frozen=True)
class Skeletons(Clips):
    """Movements of a body as skeletons of 20 joints, each with an action. See `Clips`.

    The model's input is `joints` float32 [batch, time, 60]: x, y and z of each joint in metres, y
    upwards.

    frame_rate: float. Frames in a second.
    changes: SkeletonChanges. Random changes in training.
    """

    input_example: ClassVar[str] = "movement.json"

    frames: ClassVar[str] = "joints"

    frame_rate: float = 15.0
    changes: SkeletonChanges = field(default_factory=SkeletonChanges)

    def __post_init__(self):
        check_range("data.frame_rate", self.frame_rate, at_least=0.1, at_most=1_000)

    @property
    def frame_shape(self) -> tuple[int, ...]:
        """See `Clips.frame_shape`."""
        return (COORDINATES,)

    # Reading --------------------------------------------------------------------------------------

    def read_manifest(self, path: Path) -> list[Skeleton]:
        """See `Data.read_manifest`: JSON lines with `action` and `joints`, as of a JSON file.

        Each may have `id`, `subject` and `split`.
        """
        count = itertools.count(1)

        def parse(row: dict[str, Any]) -> Skeleton:
            given = {key: text_field(row, key) for key in ("subject", "split") if key in row}
            id_ = text_field(row, "id") if "id" in row else f"movement {next(count)}"
            joints = fill_missing(parse_joints(row))
            return Skeleton(id_, text_field(row, "action").strip(), joints, **given)

        return parse_json_lines(path, parse)

    def group_of(self, example: Skeleton) -> str:
        """See `Clips.group_of`: who moves."""
        return example.subject

    def checksum(self, examples: list[Skeleton]) -> str:
        """See `Data.checksum`: of the actions and the joints."""
        return digest((e.id, e.transcript, zlib.crc32(e.joints.tobytes())) for e in examples)

    def length(self, example: Skeleton) -> int:
        """See `Data.length`: in frames."""
        return len(example.joints)

    # Learning -------------------------------------------------------------------------------------

    def augment(self, frames: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """See `Clips.augment` and `change`."""
        joints = frames.reshape(len(frames), -1, 3)
        changed = change(joints, self.changes, generator)
        return changed.reshape(len(changed), -1)

    # Use ------------------------------------------------------------------------------------------

    def find_inputs(self, source: str) -> list[str]:
        """See `Data.find_inputs`: JSON and text files."""
        return find_below(source, SUFFIXES, "skeletons")

    def read_input(self, source: str, recipe: Recipe) -> Item:
        """See `Data.read_input` and `read_skeleton`."""
        return self._item(read_skeleton(Path(source)))

    def read_example(self, example: Skeleton, recipe: Recipe) -> Item:
        """See `Data.read_example`."""
        return self._item(example.joints)

    def _item(self, joints: np.ndarray) -> Item:
        times = np.arange(len(joints) + 1) / self.frame_rate
        return {"joints": joints.reshape(len(joints), -1), "times": times}

    def plot(self, graphs: Graphs, recipe: Recipe, source: str, path: Path) -> None:
        """See `Data.plot`: the skeleton at several times, above the answer over time."""
        from zoo.vision_language.motion.plots import plot_clip, skeleton_panel

        plot_clip(graphs, recipe, source, path, skeleton_panel)

    # Delivery -------------------------------------------------------------------------------------

    def raw_inputs(self, recipe: Recipe) -> dict[str, RawInput]:
        """See `Data.raw_inputs`: joints with lengths, as the model takes them."""
        entry = sequence_input("joints", (COORDINATES,), "frames")
        return {"serving_default": entry}

    def example_inputs(self, recipe: Recipe) -> dict[str, list[dict[str, Any]]]:
        """See `Data.example_inputs`: a body that waves, for several times, one by one and together."""
        items = [self._item(waving(frames)) for frames in (9, 24, 40)]
        batches = [self.collate([item]) for item in items] + [self.collate(items)]
        return {"serving_default": batches, MODEL: batches}


def waving(frames: int, faster: float = 1.0) -> np.ndarray:
    """Return a body that waves one hand, drawn by code: float32 [frames, 20, 3]."""
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
