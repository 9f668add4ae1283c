"""Calls of thirteen species of whales, cut out of the tapes of the Watkins collection."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path

from zoo.common.core.corpus import Corpus, check_folder, no_such_split
from zoo.common.core.errors import ZooError
from zoo.common.data.manifests import parse_table
from zoo.common.data.splits import draw
from zoo.speech.detection.corpora.spectrogram import Spectrogram
from zoo.speech.utterance import find_audio

TABLE = "clips.tsv"
COLUMNS = ("clip_id", "species", "seconds")
SPLITS = ("train", "dev", "test")
# The share of a species' clips that dev and test have of it each, as far as whole tapes allow, and the
# seed that its tapes are drawn by.
SHARE, SEED = 0.2, 0
# A clip's name begins with the number of its tape: two digits of the year, three of the recording.
# One clip is there twice, its copy under a name such as a browser gives: "9101201I (1)".
_NAME = re.compile(r"(\d{5})\w+( \(\d+\))?")


def read(folder: Path, split: str) -> list[Spectrogram]:
    """Return the clips of a split, each with its species as the class and its tape as the group.

    The corpus has no splits of its own. Here whole tapes are of one split, see `split_tapes`: what a
    tape's clips have in common (sea, boat, recorder) cannot help on another tape.

    Args:
        folder: it has `clips.tsv` with the columns clip_id, species and seconds, and the recordings in
            `clips/`.
        split: "train", "dev", "test" or "all".

    Raises:
        ZooError: the folder is not there, a line is bad, or there is no such split.
    """
    folder = Path(folder)
    check_folder(WATKINS.name, folder)
    if split not in (*SPLITS, "all"):
        raise no_such_split(folder, list(SPLITS), split)
    clips = parse_table(folder / TABLE, COLUMNS, partial(_from_row, folder))
    splits: dict[tuple[str, str], str] = {}
    for species in {clip.label for clip in clips}:
        tapes = Counter(clip.group for clip in clips if clip.label == species)
        splits |= {(species, tape): of for tape, of in split_tapes(tapes).items()}
    clips = [replace(clip, split=splits[clip.label, clip.group]) for clip in clips]
    return [clip for clip in clips if split in ("all", clip.split)]


def split_tapes(tapes: Mapping[str, int]) -> dict[str, str]:
    """Return the split of each tape of one species.

    The tape with the most clips is in train. The others are drawn: the first is test, the second dev;
    a further one too where it fits into a fifth of the clips, else it is in train. So a species of one
    tape is in train alone, one of two tapes has no dev.

    Args:
        tapes: how many clips each has.
    """
    first, *others = sorted(tapes, key=lambda tape: (-tapes[tape], tape))
    room = dict.fromkeys(("test", "dev"), SHARE * sum(tapes.values()))
    splits = {first: "train"}
    for tape in sorted(others, key=lambda tape: draw(tape, SEED)):
        without = [of for of in room if of not in splits.values()]
        fits = without or [of for of in room if tapes[tape] <= room[of]]
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
)


def _from_row(folder: Path, row: dict[str, str]) -> Spectrogram | None:
    """A clip; none of a line for a copy."""
    name, species = row["clip_id"], row["species"].strip()
    match = _NAME.fullmatch(name)
    if match is None:
        raise ZooError(f"clip_id must begin with the five digits of a tape. Received: {name!r}")
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
