"""Up-calls of the North Atlantic right whale: mel spectrograms of clips of two seconds."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

from zoo.common.core.corpus import Corpus, check_folder, no_such_split
from zoo.common.core.errors import ZooError
from zoo.speech.detection.corpora.spectrogram import Spectrogram

FILE = "spectrograms.npz"
SPLITS = ("train", "test")
# The classes of the numbers 0 and 1 in the file.
CLASSES = ("none", "upcall")


def read(folder: Path, split: str) -> list[Spectrogram]:
    """Return the clips of a split, each with the label "none" or "upcall".

    The numbers of the clips in the contest are not read, since adjacent clips are similar.

    Args:
        folder: a folder that has `spectrograms.npz` with `x_<split>` uint8 [clips, bands, frames] and
            `y_<split>` [clips], 0 or 1.
        split: "train", "test" or "all".

    Raises:
        ZooError: the folder or the file is missing or invalid, or there is no such split.
    """
    folder = Path(folder)
    check_folder(RIGHT_WHALE.name, folder)
    if split not in (*SPLITS, "all"):
        raise no_such_split(folder, list(SPLITS), split)
    path = folder / FILE
    examples = []
    for name in SPLITS if split == "all" else (split,):
        values, labels = _arrays(path, name)
        examples += [
            Spectrogram(f"{name}-{i:05}", CLASSES[label], name, clip.T)
            for i, (clip, label) in enumerate(zip(values, labels, strict=True))
        ]
    return examples


RIGHT_WHALE = Corpus(
    name="right_whale_upcalls",
    title=(
        "Up-calls of the North Atlantic right whale (Cornell, Kaggle 2013): 8993 clips of 2 s as mel "
        "spectrograms of 50 bands, 0 to 500 Hz, and 101 frames"
    ),
    licence="Cornell's notice D5470: educational and non-profit research; it travels with the data",
    source="https://github.com/levshuster/whale-detection",
    read=read,
    restricted=True,
    instructions=(
        "The recordings need an account: accept the rules of the competition "
        "https://www.kaggle.com/c/whale-detection-challenge, whose clips are AIFF. The reader reads "
        "their spectrograms in spectrograms.npz: x_train and x_test uint8 [clips, bands, frames], each "
        "clip scaled to 0 to 63, and y_train and y_test 0 or 1. "
        "https://github.com/levshuster/whale-detection has these spectrograms as pictures."
    ),
)


def _arrays(path: Path, split: str) -> tuple[np.ndarray, np.ndarray]:
    """Return spectrograms uint8 [clips, bands, frames] and labels [clips] of a split."""
    try:
        with np.load(path, allow_pickle=False) as file:
            values, labels = file[f"x_{split}"], file[f"y_{split}"]
    except FileNotFoundError:
        raise ZooError(f"{path} is missing.") from None
    except KeyError as error:
        raise ZooError(f"{path} must have x_{split} and y_{split}: {error.args[0]}.") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile) as error:
        raise ZooError(f"{path} is corrupt: {error}.") from None
    if values.ndim != 3 or values.dtype != np.uint8 or labels.shape != values.shape[:1]:
        raise ZooError(
            f"{path}: x_{split} must be uint8 [clips, bands, frames] and y_{split} [clips]. "
            f"Received: {values.dtype} {list(values.shape)} and {list(labels.shape)}."
        )
    if not np.isin(labels, range(len(CLASSES))).all():
        raise ZooError(f"{path}: y_{split} must be 0 or 1. Received: {labels.max()}.")
    return values, labels
