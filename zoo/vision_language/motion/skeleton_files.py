"""Skeletons in files: the joints of a body over time, and what is made of those that are missing.

A JSON file is an object with `joints`, a list of frames, each a list of joints [x, y, z] in metres, y
upwards, or [x, y, z, confidence]. A joint is missing where it is null, has null or NaN in it, is
[0, 0, 0], or has the confidence 0. A text file is one of MSR Action3D: a line "x y z confidence" for
each joint, 20 lines a frame; there, estimated joints have the confidence 0 too, so only zeros are
missing.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from zoo.common.core.errors import ZooError, check_range
from zoo.common.data.manifests import read_file

# The joints of MSR Action3D in their order.
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
# Nothing that a camera sees is farther away, in metres.
MAX_COORDINATE = 1_000
# Of all joints in all frames, at least this share must have been seen.
LEAST_SEEN = 0.25


@dataclass(frozen=True, eq=False)
class Skeleton:
    """A movement with its class.

    id: str. Its own among the movements of a run.
    transcript: str. The class.
    joints: float32 [frames, 20, 3], as of `fill_missing`.
    subject: str. Who moves; dev subjects are not among those of train.
    split: str. "" where there are no splits.
    """

    id: str
    transcript: str
    joints: np.ndarray
    subject: str = ""
    split: str = ""


def read_skeleton(path: Path) -> np.ndarray:
    """Return the joints of a file, float32 [frames, 20, 3]; see the head of this module.

    Raises:
        ZooError: it cannot be read, is of neither kind, or as `fill_missing`.
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
        raise ZooError('it must hold a JSON object with "joints".')
    return parse_joints(content)


def parse_joints(row: dict[str, Any]) -> np.ndarray:
    """Return the `joints` of a JSON object, float64 [frames, 20, 3], NaN where one is missing.

    Raises:
        ZooError: there is no such list, or a frame or joint of it is none.
    """
    frames = row.get("joints")
    if not isinstance(frames, list):
        raise ZooError('there must be a list of frames under the key "joints".')
    check_range("The number of frames", len(frames), at_least=1, at_most=MAX_FRAMES)
    rows = [_frame(number, frame) for number, frame in enumerate(frames, start=1)]
    return np.array(rows, np.float64)


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
    """Whether a value is a number, NaN and infinity among them, that float64 holds; or null."""
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
    """Return joints without gaps: where one is missing it stands where it was last seen.

    So nothing is taken from later frames, but for a joint that was not seen yet: it stands where it will
    be seen first.

    Args:
        joints: float [frames, 20, 3], zeros or NaN where one is missing.

    Returns:
        float32 of the same shape.

    Raises:
        ZooError: coordinates that are none, too few joints, one that is never seen, or a body whose
            neck is at its hips.
    """
    values = joints.reshape(len(joints), -1)
    seen = ~np.isnan(joints).any(axis=2) & joints.any(axis=2)
    if not (np.abs(values[np.repeat(seen, 3, axis=1)]) <= MAX_COORDINATE).all():
        raise ZooError(f"coordinates must be numbers of at most {MAX_COORDINATE:,} metres.")
    if seen.mean() < LEAST_SEEN:
        raise ZooError(
            f"at least {LEAST_SEEN:.0%} of all joints must be seen. Received: {seen.mean():.0%}."
        )
    if not seen.any(axis=0).all():
        name = JOINTS[int(np.argmin(seen.any(axis=0)))]
        raise ZooError(f"every joint must be seen at least once. Never seen: {name}.")
    frames = np.arange(len(joints))[:, np.newaxis]
    last = np.maximum.accumulate(np.where(seen, frames, -1), axis=0)
    source = np.where(last < 0, seen.argmax(axis=0), last)
    filled = np.take_along_axis(joints, source[:, :, np.newaxis], axis=0).astype(np.float32)
    torso = np.linalg.norm(filled[:, NECK] - filled[:, HIP_CENTRE], axis=1)
    if not torso[0] > 0:
        raise ZooError("the neck and the hips must be apart: a body is measured by its torso.")
    return filled
