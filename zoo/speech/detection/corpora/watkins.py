"""Calls of thirteen species of whales, cut from the tapes of the Watkins collection."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from zoo.common.core.corpus import Corpus, check_folder, no_such_split
from zoo.common.core.errors import ZooError
from zoo.common.data.splits import draw
from zoo.common.data.tables import read_table
from zoo.speech.detection.corpora.spectrogram import Spectrogram
from zoo.speech.utterance import find_audio

TABLE = "clips.tsv"
COLUMNS = ("clip_id", "species", "seconds")
SPLITS = ("train", "dev", "test")
# The share of the clips of a species in dev and in test, as far as whole tapes allow, and the seed of
# the split.
SHARE, SEED = 0.2, 0
# The name of a clip begins with the number of its tape: two digits of the year, three of the recording.
# One clip occurs twice; the name of its copy is that of a repeated download, "9101201I (1)".
_NAME = re.compile(r"(\d{5})\w+( \(\d+\))?")


def read(folder: Path, split: str) -> list[Spectrogram]:
    """Return the clips of a split, each with its species as the label and its tape as the group.

    The corpus has no splits. Here each tape is in one split, see `split_tapes`, so that a model cannot
    use what the clips of a tape have in common (sea, boat, recorder).

    Args:
        folder: a folder that has `clips.tsv` with the columns clip_id, species and seconds, and the
            recordings in `clips/`.
        split: "train", "dev", "test" or "all".

    Raises:
        ZooError: the folder is missing, a line is invalid, or there is no such split.
    """
    folder = Path(folder)
    check_folder(WATKINS.name, folder)
    if split not in (*SPLITS, "all"):
        raise no_such_split(folder, list(SPLITS), split)
    clips = read_table(folder / TABLE).parse(COLUMNS, partial(_from_row, folder))
    splits: dict[tuple[str, str], str] = {}
    for species in {clip.label for clip in clips}:
        tapes = Counter(clip.group for clip in clips if clip.label == species)
        splits |= {(species, tape): name for tape, name in split_tapes(tapes).items()}
    clips = [replace(clip, split=splits[clip.label, clip.group]) for clip in clips]
    return [clip for clip in clips if split in ("all", clip.split)]


def split_tapes(tapes: Mapping[str, int]) -> dict[str, str]:
    """Return the split of each tape of one species.

    The tape with the most clips is in train. The others follow in random order: the first is in test,
    the second in dev. Each further tape is in test or dev if the split then has at most a fifth of the
    clips, otherwise in train. A species with one tape is only in train, one with two is not in dev.

    Args:
        tapes: number of clips of each tape.
    """
    first, *others = sorted(tapes, key=lambda tape: (-tapes[tape], tape))
    room = dict.fromkeys(("test", "dev"), SHARE * sum(tapes.values()))
    splits = {first: "train"}
    for tape in sorted(others, key=lambda tape: draw(tape, SEED)):
        empty = [name for name in room if name not in splits.values()]
        fits = empty or [name for name in room if tapes[tape] <= room[name]]
        splits[tape] = fits[0] if fits else "train"
        if fits:
            room[fits[0]] -= tapes[tape]
    return splits


WATKINS = Corpus(
    name="watkins_whales",
    title="Watkins Marine Mammal Sound Database: 629 cuts of 13 species of whales, split by tape",
    licence="WHOI: personal and academic use",
    source="https://cis.whoi.edu/science/B/whalesounds",
    read=read,
    dev_split="dev",
    restricted=True,
    instructions=(
        "The database must be obtained from https://cis.whoi.edu/science/B/whalesounds or, with an "
        'account, from a copy at Kaggle. The reader reads the "best of" cuts of 13 species in clips/ '
        "under their clip number, and clips.tsv with the columns clip_id, species and seconds."
    ),
)


def _from_row(folder: Path, row: dict[str, str]) -> Spectrogram | None:
    """Return a clip; None for the copy of a clip."""
    name, species = row["clip_id"], row["species"].strip()
    match = _NAME.fullmatch(name)
    if match is None:
        raise ZooError(f"clip_id must begin with the five digits of its tape. Received: {name!r}")
    if match[2]:
        return None
    if not species:
        raise ZooError("the species is empty")
    try:
        seconds = float(row["seconds"])
    except ValueError:
        raise ZooError(f"seconds must be a number. Received: {row['seconds']!r}") from None
    path = find_audio(folder, "clips", name)
    return Spectrogram(name, species, group=match[1], path=path, seconds=seconds)
