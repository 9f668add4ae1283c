"""Read skeleton files, and replace missing joints.

A JSON file is an object with `joints`, a list of frames. A frame is a list of joints [x, y, z] in
metres, where y grows upwards, or [x, y, z, confidence]. A joint is missing if it is null, contains
null or NaN, is [0, 0, 0], or has the confidence 0.

A text file has the format of MSR Action3D: one line "x y z confidence" per joint, and 20 lines per
frame. There, estimated joints have the confidence 0 too, so only [0, 0, 0] is a missing joint.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError, check_range
from zoo.common.data.content import Content
from zoo.common.data.manifests import read_file

# The joints of MSR Action3D, in order.
JOINTS = (
    "left shoulder", "right shoulder", "neck", "spine", "left hip", "right hip", "hip centre",
    "left elbow", "right elbow", "left wrist", "right wrist", "left hand", "right hand",
    "left knee", "right knee", "left ankle", "right ankle", "left foot", "right foot", "head",
)  # fmt: skip
NECK, HIP_CENTRE = JOINTS.index("neck"), JOINTS.index("hip centre")
BONES = (
    (19, 2), (2, 3), (3, 6), (2, 0), (2, 1), (0, 7), (1, 8), (7, 9), (8, 10), (9, 11), (10, 12),
    (6, 4), (6, 5), (4, 13), (5, 14), (13, 15), (14, 16), (15, 17), (16, 18),
)  # fmt: skip
SUFFIXES = (".json", ".txt")
MAX_FRAMES = 5_000
MAX_BYTES = 2**24
# In metres.
MAX_COORDINATE = 1_000
# Minimum fraction of joints that are not missing, over all frames.
MIN_PRESENT = 0.25


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A movement with its class.

    Args:
        id: unique name.
        label: the class.
        joints: float32 [frames, 20, 3], the result of `fill_missing`.
        subject: the person, who is not in both train and dev; "" if unknown.
        split: name of the split; "" without splits.
    """

    id: str
    label: str
    joints: np.ndarray
    subject: str = ""
    split: str = ""

    def content(self) -> Content:
        """Return the class and the joints."""
        return Content((self.label,), (self.joints,))


def read_skeleton(path: Path) -> np.ndarray:
    """Return the joints of a JSON or text file, float32 [frames, 20, 3].

    Raises:
        ZooError: the file cannot be read or has neither format, or as `fill_missing`.
    """
    try:
        return fill_missing(_read_text(path) if path.suffix == ".txt" else _read_json(path))
    except ZooError as error:
        text = str(error)
        raise ZooError(text if text.startswith(str(path)) else f"{path}: {text}") from None


def _read_json(path: Path) -> np.ndarray:
    try:
        content = json.loads(read_file(path, MAX_BYTES))
    except (ValueError, RecursionError) as error:
        if isinstance(error, ZooError):
            raise
        raise ZooError(f"invalid JSON: {error}") from None
    if not isinstance(content, dict):
        raise ZooError('it must be a JSON object with "joints".')
    return parse_joints(content)


def parse_joints(row: dict[str, Any]) -> np.ndarray:
    """Return the `joints` of a JSON object, float64 [frames, 20, 3], NaN for a missing joint.

    Raises:
        ZooError: the object has no such list, or a frame or a joint is invalid.
    """
    frames = row.get("joints")
    if not isinstance(frames, list):
        raise ZooError('there must be a list of frames under the key "joints".')
    check_range("The number of frames", len(frames), at_least=1, at_most=MAX_FRAMES)
    rows = [_frame(number, frame) for number, frame in enumerate(frames, start=1)]
    return np.array(rows, np.float64)


def check_joints(joints: Any) -> np.ndarray:
    """Return an array of joints as float64 [frames, 20, 3].

    Raises:
        ZooError: it has another shape, or its elements are not numbers.
    """
    array = np.asarray(joints)
    if array.dtype.kind not in "iuf" or array.shape[1:] != (len(JOINTS), 3):
        raise ZooError(
            f"joints must be an array of numbers [frames, {len(JOINTS)}, 3]. "
            f"Received: {array.dtype} {list(array.shape)}."
        )
    check_range("The number of frames", len(array), at_least=1, at_most=MAX_FRAMES)
    return array.astype(np.float64)


def _frame(number: int, frame: Any) -> list[list[float]]:
    if not isinstance(frame, list) or len(frame) != len(JOINTS):
        count = len(frame) if isinstance(frame, list) else repr(frame)[:40]
        raise ZooError(f"frame {number} must have {len(JOINTS)} joints. Received: {count}.")
    return [_joint(number, joint, name) for joint, name in zip(frame, JOINTS, strict=True)]


def _joint(number: int, joint: Any, name: str) -> list[float]:
    missing = [np.nan] * 3
    if joint is None:
        return missing
    numbers = isinstance(joint, list) and len(joint) in (3, 4)
    if not numbers or not all(map(_is_coordinate, joint)):
        raise ZooError(
            f"frame {number}, {name}: a joint must be [x, y, z], or [x, y, z, confidence], or null. "
            f"Received: {str(joint)[:80]}."
        )
    if None in joint or joint[3:] == [0]:
        return missing
    return joint[:3]


def _is_coordinate(value: Any) -> bool:
    """Return whether a value is null, a float (also NaN or infinite), or an int of 64 bits."""
    small_enough = type(value) is int and abs(value) < 2**63
    return value is None or type(value) is float or small_enough


def _read_text(path: Path) -> np.ndarray:
    lines = [line for line in read_file(path, MAX_BYTES).split("\n") if line.strip()]
    rows = []
    for number, line in enumerate(lines, start=1):
        try:
            rows.append([float(field) for field in line.split()])
        except ValueError:
            raise ZooError(f"line {number} must have numbers. Received: {line[:80]!r}.") from None
        if len(rows[-1]) not in (3, 4):
            raise ZooError(f"line {number} must have x y z confidence. Received: {line[:80]!r}.")
    if len(rows) % len(JOINTS):
        raise ZooError(
            f"there must be {len(JOINTS)} lines for each frame. Received: {len(rows)} lines."
        )
    check_range("The number of frames", len(rows) // len(JOINTS), at_most=MAX_FRAMES)
    return np.array([row[:3] for row in rows]).reshape(-1, len(JOINTS), 3)


def fill_missing(joints: np.ndarray) -> np.ndarray:
    """Return joints where each missing one has the position of the last frame with that joint.

    A joint that is missing in the first frames has the position of the first frame with that joint.
    Otherwise no position depends on later frames.

    Args:
        joints: float [frames, 20, 3], zeros or NaN for a missing joint.

    Returns:
        float32 [frames, 20, 3].

    Raises:
        ZooError: a coordinate is infinite or too large, too many joints are missing, a joint is missing
            in all frames, or the neck and the hips have the same position in the first frame.
    """
    values = joints.reshape(len(joints), -1)
    present = ~np.isnan(joints).any(axis=2) & joints.any(axis=2)
    if not (np.abs(values[np.repeat(present, 3, axis=1)]) <= MAX_COORDINATE).all():
        raise ZooError(f"coordinates must be numbers of at most {MAX_COORDINATE:,} metres.")
    if present.mean() < MIN_PRESENT:
        raise ZooError(
            f"at least {MIN_PRESENT:.0%} of all joints must be present. Received: {present.mean():.0%}."
        )
    if not present.any(axis=0).all():
        name = JOINTS[int(np.argmin(present.any(axis=0)))]
        raise ZooError(f"each joint must be present in at least one frame. Received: no {name}.")
    frames = np.arange(len(joints))[:, np.newaxis]
    last = np.maximum.accumulate(np.where(present, frames, -1), axis=0)
    source = np.where(last < 0, present.argmax(axis=0), last)
    filled = np.take_along_axis(joints, source[:, :, np.newaxis], axis=0).astype(np.float32)
    torso = np.linalg.norm(filled[:, NECK] - filled[:, HIP_CENTRE], axis=1)
    if not torso[0] > 0:
        raise ZooError("the neck and the hips must have different positions.")
    return filled
