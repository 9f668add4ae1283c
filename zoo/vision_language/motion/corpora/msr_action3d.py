"""MSR Action3D: twenty actions of ten subjects as skeletons from a depth camera.

Li, Zhang & Liu, "Action recognition based on a bag of 3D points" (2010). Ten of its 567 sequences have
too many missing joints and are left out, as in Wang, Liu, Wu & Yuan, "Mining actionlet ensemble for
action recognition with depth cameras" (2012).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from zoo.common.core.corpus import Corpus, check_folder
from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import of_split, read_lines
from zoo.common.utils.files import check_file
from zoo.vision_language.motion.skeleton_files import JOINTS, Skeleton, fill_missing, read_skeleton

SKELETONS_FILE, LIST_FILE = "skeletons.npz", "files_used_in_cvpr12_paper.txt"
ENDING = "_skeleton3D.txt"
FRAME_RATE = 15.0
ACTIONS = (
    "high arm wave", "horizontal arm wave", "hammer", "hand catch", "forward punch", "high throw",
    "draw x", "draw tick", "draw circle", "hand clap", "two hand wave", "side boxing", "bend",
    "forward kick", "side kick", "jogging", "tennis swing", "tennis serve", "golf swing",
    "pick up and throw",
)  # fmt: skip
NAME = re.compile(r"a(?P<action>\d\d)_s(?P<subject>\d\d)_e\d\d")


def read_msr_action3d(folder: Path, split: str) -> list[Skeleton]:
    """Return the skeletons of a split, in the order of the corpus.

    The split is by subject: odd subjects are "train", even ones "test".

    Args:
        folder: contains the list `files_used_in_cvpr12_paper.txt`, and the text files of the release,
            `a??_s??_e??_skeleton3D.txt`, in the folder `MSRAction3DSkeletonReal3D` if it exists; or
            `skeletons.npz` with the arrays `names`, `lengths`, and `frames` [all frames, 20, 4] of x, y,
            z and confidence.
        split: "train", "test" or "all".

    Raises:
        ZooError: as `zoo.common.core.corpus.Corpus.read`.
    """
    check_folder("msr_action3d", folder)
    path = folder / SKELETONS_FILE
    used = {line.strip() for _, line in read_lines(folder / LIST_FILE)}
    if not path.exists() and (files := _released(folder)):
        named = [(file.name.removesuffix(ENDING), file) for file in files]
        examples = [
            _skeleton(file, name, read_skeleton(file)) for name, file in named if name in used
        ]
        return of_split(examples, split, folder)
    try:
        check_file(path)
        with np.load(path, allow_pickle=False) as file:
            names, lengths, frames = (file[key] for key in ("names", "lengths", "frames"))
        parts = np.split(frames.reshape(-1, len(JOINTS), 4), np.cumsum(lengths)[:-1])
        pairs = list(zip(names.tolist(), parts, strict=True))
    except ZooError:
        raise
    except Exception as error:  # NumPy and zipfile raise many types for a damaged archive
        raise ZooError(f"{path} is corrupt: {' '.join(str(error).split())[:120]}.") from None
    examples = [_example(path, name, part) for name, part in pairs if name in used]
    return of_split(examples, split, path)


def _released(folder: Path) -> list[Path]:
    """Return the text files of the release in a folder."""
    inner = folder / "MSRAction3DSkeletonReal3D"
    return sorted((inner if inner.is_dir() else folder).glob(f"a??_s??_e??{ENDING}"))


def _example(path: Path, name: str, frames: np.ndarray) -> Skeleton:
    try:
        joints = fill_missing(frames[:, :, :3])
    except ZooError as error:
        raise ZooError(f"{path}, {name}: {error}") from None
    return _skeleton(path, name, joints)


def _skeleton(path: Path, name: str, joints: np.ndarray) -> Skeleton:
    found = NAME.fullmatch(name)
    if not found or not 1 <= int(found["action"]) <= len(ACTIONS):
        raise ZooError(f"{path}: a name must be like a01_s02_e03. Received: {name[:80]!r}.")
    split = "train" if int(found["subject"]) % 2 else "test"
    return Skeleton(name, ACTIONS[int(found["action"]) - 1], joints, found["subject"], split)


MSR_ACTION3D = Corpus(
    name="msr_action3d",
    title="MSR Action3D: skeletons of twenty actions by ten subjects, 557 sequences",
    licence="research use",
    source="Li, Zhang & Liu 2010, Action recognition based on a bag of 3D points",
    read=read_msr_action3d,
    restricted=True,
    instructions=(
        "The authors publish MSR Action3D through a shared drive, see "
        "https://sites.google.com/view/wanqingli/data-sets/msr-action3d. Put the files a??_s??_e??_"
        "skeleton3D.txt of MSRAction3DSkeletonReal3D.rar there, or in a folder "
        "MSRAction3DSkeletonReal3D, and files_used_in_cvpr12_paper.txt."
    ),
)
