"""Moving shapes: drawn clips with nine motions."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from zoo.common.core.corpus import Corpus, check_folder
from zoo.common.data.manifests import of_split
from zoo.common.utils.files import write_text
from zoo.common.utils.progress import progress
from zoo.vision_language.motion.moving_shapes import MOTIONS, draw_clip, write_clip
from zoo.vision_language.motion.video_clip import VideoClip, read_clips

LIST_FILE = "clips.jsonl"
# Number of clips per motion, and random seed, of each split.
CLIPS = {"train": 160, "test": 40}
SEEDS = {"train": 1, "test": 2}


def render(folder: Path, clips: dict[str, int] = CLIPS) -> None:
    """Write the corpus: MP4 files and their list.

    Args:
        folder: an existing folder.
        clips: number of clips per motion of each split.

    Raises:
        ZooError: PyAV is not installed, or the list cannot be written.
    """
    rows = [
        {"video": f"{split}/{motion}-{number:03}.mp4", "label": motion, "split": split}
        for split, count in clips.items()
        for number in range(count)
        for motion in MOTIONS
    ]
    generators = {split: np.random.default_rng(SEEDS[split]) for split in clips}
    for split in clips:
        (folder / split).mkdir(exist_ok=True)
    for row in progress(rows, "Drawing", len(rows), "clip"):
        frames, rate = draw_clip(row["label"], generators[row["split"]])
        write_clip(folder / row["video"], frames, rate)
    write_text(folder / LIST_FILE, "".join(json.dumps(row) + "\n" for row in rows))


def read_video_shapes(folder: Path, split: str) -> list[VideoClip]:
    """Return the clips of a split, in the order of the list.

    Args:
        folder: a folder written by `render`.
        split: "train", "test" or "all".

    Raises:
        ZooError: as `zoo.common.core.corpus.Corpus.read`.
    """
    check_folder("video_shapes", folder)
    return of_split(read_clips(folder / LIST_FILE), split, folder / LIST_FILE)


VIDEO_SHAPES = Corpus(
    name="video_shapes",
    title="Moving shapes: 1800 clips of nine motions, drawn by a script of the zoo",
    licence="none needed: drawn by code",
    source="python tools/render_video_shapes.py FOLDER",
    read=read_video_shapes,
    instructions="It is drawn by the script tools/render_video_shapes.py of the repository.",
)
